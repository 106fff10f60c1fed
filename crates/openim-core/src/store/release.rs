//! Memory that many databases gave up, back to the system. The allocator keeps what is freed between other things: of a
//! thousand closed accounts most of the memory would stay with the process.

use std::sync::{Mutex, PoisonError};

/// So many databases give up enough for the allocator to be searched, which holds up whoever allocates meanwhile for
/// some milliseconds.
const MANY: usize = 64;
/// When none is left, so few are worth it.
const FEW: usize = 8;

/// Open databases, and how many let go of their memory since it was given back.
static DATABASES: Mutex<(usize, usize)> = Mutex::new((0, 0));

/// Counts an open database until it is dropped.
#[derive(Debug)]
pub(super) struct Open(());

impl Open {
    pub(super) fn count() -> Self {
        DATABASES.lock().unwrap_or_else(PoisonError::into_inner).0 += 1;
        Self(())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        DATABASES.lock().unwrap_or_else(PoisonError::into_inner).0 -= 1;
        one();
    }
}

/// A database let go of its memory.
pub(super) fn one() {
    let mut databases = DATABASES.lock().unwrap_or_else(PoisonError::into_inner);
    databases.1 += 1;
    let (open, released) = *databases;
    if released >= MANY || (open == 0 && released >= FEW) {
        databases.1 = 0;
        drop(databases);
        give_back();
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn give_back() {
    #[allow(unsafe_code)]
    // SAFETY: takes no pointers; locks what it touches, and may be called from any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Other systems' allocators do it by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn give_back() {}
