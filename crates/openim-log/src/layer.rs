//! The end of `tracing` at which records come out.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record as SpanRecord};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::config::Level;
use crate::feed::Feed;
use crate::files::Files;
use crate::record::{Fields, Record};

/// Records of other crates are not ours to vouch for: they could hold addresses with tokens.
const OWN: &str = "openim_";

/// Where records go, as configured.
#[derive(Debug, Default)]
pub(crate) struct Sinks {
    level: AtomicU8,
    open: RwLock<Open>,
}

#[derive(Debug, Default, Clone)]
pub(crate) struct Open {
    files: Option<Arc<Files>>,
    feed: Option<Arc<Feed>>,
}

impl Sinks {
    fn open(&self) -> std::sync::RwLockReadGuard<'_, Open> {
        self.open.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn files(&self) -> Option<Arc<Files>> {
        self.open().files.clone()
    }

    pub(crate) fn feed(&self) -> Option<Arc<Feed>> {
        self.open().feed.clone()
    }

    /// The sinks that counted until now.
    pub(crate) fn replace(&self, level: Level, files: Option<Arc<Files>>, feed: Option<Arc<Feed>>) -> Open {
        let new = Open { files, feed };
        let level = Level::ALL.iter().position(|known| *known == level).unwrap_or(0);
        let old = std::mem::replace(&mut *self.open.write().unwrap_or_else(PoisonError::into_inner), new);
        self.level.store(level as u8, Ordering::SeqCst);
        old
    }

    fn filter(&self) -> LevelFilter {
        let level = usize::from(self.level.load(Ordering::Relaxed));
        Level::ALL.get(level).map_or(LevelFilter::OFF, |level| level.filter())
    }

    fn write(&self, line: String) {
        let open = self.open();
        if let Some(feed) = &open.feed {
            feed.push(line.clone());
        }
        if let Some(files) = &open.files {
            files.push(line);
        }
    }
}

/// Makes records of events and of the spans around them.
#[derive(Debug)]
pub(crate) struct Records {
    sinks: Arc<Sinks>,
}

impl Records {
    pub(crate) fn new(sinks: Arc<Sinks>) -> Self {
        Self { sinks }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Records {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.target().starts_with(OWN) && *metadata.level() <= self.sinks.filter()
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.sinks.filter())
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &SpanRecord<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(outer) = span.extensions().get::<Fields>() {
                fields.extend(outer);
            }
        }
        event.record(&mut fields);
        self.sinks.write(Record::line(*event.metadata().level(), event.metadata().target(), &fields));
    }
}
