//! A queue of numbered items that is bounded by their bytes.

use std::collections::VecDeque;

/// Whoever can wait does while more than this waits to be taken.
const ROOM_BYTES: usize = 8 << 20;
/// Past this, what may be lost is dropped.
const HARD_BYTES: usize = 32 << 20;

/// What a queue holds.
pub(crate) trait Item: Sized {
    /// Estimate of the memory that it takes.
    fn bytes(&self) -> usize;
    /// Whether it may be lost.
    fn is_droppable(&self) -> bool;
    /// Stands in the place of `count` items that were dropped.
    fn dropped(count: u64) -> Self;
    /// Whether one item can say what this and the next one say.
    fn can_take_in(&self, _next: &Self) -> bool {
        false
    }
    /// Makes this item say what the next one says as well.
    fn take_in(&mut self, _next: Self) {}
}

/// Items in order, each with a number; numbers never fall.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    items: VecDeque<(u64, T)>,
    bytes: usize,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { items: VecDeque::new(), bytes: 0 }
    }
}

impl<T: Item> Queue<T> {
    pub(crate) fn push(&mut self, number: u64, item: T) {
        if let Some((last, waiting)) = self.items.back_mut()
            && waiting.can_take_in(&item)
        {
            let before = waiting.bytes();
            waiting.take_in(item);
            *last = number;
            self.bytes = self.bytes + waiting.bytes() - before;
            return;
        }
        self.bytes += item.bytes();
        self.items.push_back((number, item));
    }

    /// Puts an item before all others, with a number that fits there.
    pub(crate) fn push_front(&mut self, number: u64, item: T) {
        let number = self.items.front().map_or(number, |(number, _)| number - 1);
        self.bytes += item.bytes();
        self.items.push_front((number, item));
    }

    pub(crate) fn front(&self) -> Option<&T> {
        self.items.front().map(|(_, item)| item)
    }

    pub(crate) fn pop(&mut self) -> Option<(u64, T)> {
        let (number, item) = self.items.pop_front()?;
        self.bytes = self.bytes.saturating_sub(item.bytes());
        Some((number, item))
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    pub(crate) fn has_room(&self) -> bool {
        self.bytes < ROOM_BYTES
    }

    /// Past the hard bound, drops the oldest items that may be lost until half of it is free and leaves one that tells so
    /// in their place. How many went.
    pub(crate) fn shed(&mut self) -> u64 {
        if self.bytes <= HARD_BYTES {
            return 0;
        }
        let mut count = 0;
        let mut kept = VecDeque::with_capacity(self.items.len());
        let mut last_dropped = 0;
        while let Some((number, item)) = self.items.pop_front() {
            if self.bytes > HARD_BYTES / 2 && item.is_droppable() {
                self.bytes -= item.bytes();
                count += 1;
                last_dropped = number;
            } else {
                kept.push_back((number, item));
            }
        }
        self.items = kept;
        if count > 0 {
            let at = self.items.partition_point(|(number, _)| *number < last_dropped);
            self.items.insert(at, (last_dropped, T::dropped(count)));
        }
        count
    }
}
