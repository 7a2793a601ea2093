//! Logs as Terraform reads them: one JSON object to a line, on stderr.
//!
//! `TF_LOG_PROVIDER_STUDIO`, `TF_LOG_PROVIDER` and `TF_LOG` set the level; the most special one that
//! is set decides. Without any, nothing is written at all.
//!
//! **Invariant:** only this project's own events get out, because what the AWS SDK logs may carry
//! credentials; and of those, no value that its field's name or its own text shows to be a secret.

use std::{
    fmt,
    io::{self, Write},
    panic,
};

use serde_json::{Map, Value as Json};
use time::OffsetDateTime;
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
    span::{Attributes, Id, Record},
    subscriber::Interest,
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
    registry::{LookupSpan, Registry},
};

/// From the most special to the most general.
const VARIABLES: [&str; 3] = ["TF_LOG_PROVIDER_STUDIO", "TF_LOG_PROVIDER", "TF_LOG"];

/// The library and the program.
const OWN_TARGETS: [&str; 2] = ["studio", "terraform_provider_studio"];

const MASK: &str = "***";

/// Parts of the names of fields whose values are never written.
const SECRET_NAMES: [&str; 6] = ["token", "secret", "password", "credential", "private_key", "authorization"];

/// Parts of values that are never written, whatever the field: queries of presigned URLs.
const SECRET_TEXTS: [&str; 4] = ["token=", "signature=", "credential=", "secret="];

/// Starts logging for the whole process, panics included. Further calls change nothing.
pub fn start() {
    let level = level(|name| std::env::var(name).ok());
    let log = JsonLines { level, write: write_stderr };
    // Fails only if it is already set, and then it is set to this.
    tracing::subscriber::set_global_default(Registry::default().with(log)).ok();
    panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string);
        tracing::error!(location, reason = panic.payload_as_str(), "panicked");
    }));
}

fn write_stderr(line: &[u8]) -> io::Result<()> {
    io::stderr().lock().write_all(line)
}

/// The level that the environment asks for. A word that is no level means all, as for Terraform.
fn level(environment: impl Fn(&str) -> Option<String>) -> LevelFilter {
    let word = VARIABLES.iter().filter_map(|name| environment(name)).find(|word| !word.is_empty());
    match word.map(|word| word.to_ascii_uppercase()).as_deref() {
        None | Some("OFF") => LevelFilter::OFF,
        Some("ERROR") => LevelFilter::ERROR,
        Some("WARN") => LevelFilter::WARN,
        Some("INFO") => LevelFilter::INFO,
        Some("DEBUG") => LevelFilter::DEBUG,
        // "JSON" is all, in Terraform's other form of output.
        Some(_) => LevelFilter::TRACE,
    }
}

/// Writes each event, with the fields of the spans it is in, as a line of JSON.
struct JsonLines<W> {
    level: LevelFilter,
    write: W,
}

impl<S, W> Layer<S> for JsonLines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: Fn(&[u8]) -> io::Result<()> + 'static,
{
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.passes(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.passes(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level)
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        context.span(id).expect("a new span exists").extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let span = context.span(id).expect("a span that records exists");
        if let Some(fields) = span.extensions_mut().get_mut::<Fields>() {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(of_span) = span.extensions().get::<Fields>() {
                fields.0.extend(of_span.0.clone());
            }
        }
        event.record(&mut fields);
        let line = fields.into_line(event.metadata(), OffsetDateTime::now_utc());
        // There is nowhere to say that the log cannot be written.
        (self.write)(line.as_bytes()).ok();
    }
}

impl<W> JsonLines<W> {
    fn passes(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.level && is_own(metadata.target())
    }
}

fn is_own(target: &str) -> bool {
    OWN_TARGETS.contains(&target.split("::").next().unwrap_or_default())
}

/// Fields that are fit to be written.
#[derive(Default)]
struct Fields(Map<String, Json>);

impl Fields {
    fn put(&mut self, field: &Field, value: Json) {
        let name = if field.name() == "message" { "@message" } else { field.name() };
        self.0.insert(name.to_owned(), masked(name, value));
    }

    fn into_line(mut self, metadata: &Metadata<'_>, now: OffsetDateTime) -> String {
        self.0.entry("@message").or_insert_with(|| "".into());
        self.0.insert("@level".to_owned(), level_name(*metadata.level()).into());
        self.0.insert("@module".to_owned(), metadata.target().replace("::", ".").into());
        self.0.insert("@timestamp".to_owned(), timestamp(now).into());
        format!("{}\n", Json::Object(self.0))
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }
}

/// The value, or a mask where the name or the value itself speaks of a secret.
fn masked(name: &str, value: Json) -> Json {
    let holds = |text: &str, parts: &[&str]| {
        let text = text.to_ascii_lowercase();
        parts.iter().any(|part| text.contains(part))
    };
    let secret = holds(name, &SECRET_NAMES) || value.as_str().is_some_and(|text| holds(text, &SECRET_TEXTS));
    if secret { MASK.into() } else { value }
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

/// The form that Terraform parses: microseconds and a zone.
fn timestamp(now: OffsetDateTime) -> String {
    let (date, time) = (now.date(), now.time());
    format!("{date}T{:02}:{:02}:{:02}.{:06}Z", time.hour(), time.minute(), time.second(), time.microsecond())
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::{debug, info, info_span, trace};

    use super::*;

    /// What `events` logs at `level`, without timestamps.
    fn lines(level: LevelFilter, events: impl FnOnce()) -> Vec<Json> {
        let written = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&written);
        let write = move |line: &[u8]| {
            sink.lock().unwrap().extend_from_slice(line);
            Ok(())
        };
        let subscriber = Registry::default().with(JsonLines { level, write });
        tracing::subscriber::with_default(subscriber, events);
        let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        text.lines()
            .map(|line| {
                let mut line: Json = serde_json::from_str(line).unwrap();
                assert!(line.as_object_mut().unwrap().remove("@timestamp").is_some());
                line
            })
            .collect()
    }

    #[test]
    fn an_event_carries_its_own_fields_and_those_of_its_spans() {
        let logged = lines(LevelFilter::INFO, || {
            let span = info_span!("rpc", tf_rpc = "ReadResource", tf_resource_type = tracing::field::Empty);
            span.record("tf_resource_type", "studio_x");
            span.in_scope(|| info!(count = 3, ready = true, id = %"vpce-1", "read"));
        });
        let expected = serde_json::json!({
            "@level": "info", "@message": "read", "@module": "studio.plugin.logging.tests",
            "tf_rpc": "ReadResource", "tf_resource_type": "studio_x",
            "count": 3, "ready": true, "id": "vpce-1",
        });
        assert_eq!(logged, [expected]);
    }

    #[test]
    fn what_is_below_the_level_is_not_written() {
        let logged = lines(LevelFilter::DEBUG, || {
            trace!("no");
            debug!("yes");
        });
        assert_eq!(logged.len(), 1);
        assert!(lines(LevelFilter::OFF, || tracing::error!("no")).is_empty());
    }

    #[test]
    fn events_of_other_crates_are_dropped_at_every_level() {
        let logged = lines(LevelFilter::TRACE, || {
            tracing::error!(target: "aws_config::profile", "no");
            tracing::error!(target: "studio_other", "no");
            tracing::error!(target: "studio::aws", "yes");
            tracing::error!(target: "terraform_provider_studio", "yes");
        });
        assert_eq!(logged.len(), 2);
    }

    #[test]
    fn secrets_are_masked_by_name_and_by_value() {
        let logged = lines(LevelFilter::INFO, || {
            info!(
                session_token = "abc",
                Password = 7,
                secret_access_key = ?Some("abc"),
                url = "https://d-1.studio.eu-west-1.sagemaker.aws/auth?token=abc",
                query = "X-Amz-Security-Token=abc&x=1",
                host = "d-1.studio.eu-west-1.sagemaker.aws",
                "opened https://x/auth?Token=abc"
            );
        });
        for name in ["session_token", "Password", "secret_access_key", "url", "query", "@message"] {
            assert_eq!(logged[0][name], MASK, "{name}");
        }
        assert_eq!(logged[0]["host"], "d-1.studio.eu-west-1.sagemaker.aws");
    }

    #[test]
    fn secrets_in_spans_are_masked_too() {
        let logged = lines(LevelFilter::INFO, || {
            info_span!("call", client_token = "abc").in_scope(|| info!("x"));
        });
        assert_eq!(logged[0]["client_token"], MASK);
    }

    #[test]
    fn the_most_special_variable_decides() {
        let check = |variables: &[(&str, &str)], expected: LevelFilter| {
            let found =
                level(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string()));
            assert_eq!(found, expected, "{variables:?}");
        };
        check(&[], LevelFilter::OFF);
        check(&[("TF_LOG", "")], LevelFilter::OFF);
        check(&[("TF_LOG", "debug")], LevelFilter::DEBUG);
        check(&[("TF_LOG", "JSON")], LevelFilter::TRACE);
        check(&[("TF_LOG", "TRACE"), ("TF_LOG_PROVIDER", "WARN")], LevelFilter::WARN);
        check(&[("TF_LOG", "TRACE"), ("TF_LOG_PROVIDER_STUDIO", "OFF")], LevelFilter::OFF);
    }

    #[test]
    fn a_timestamp_has_microseconds_and_a_zone() {
        let moment = OffsetDateTime::UNIX_EPOCH + time::Duration::microseconds(1_500_042);
        assert_eq!(timestamp(moment), "1970-01-01T00:00:01.500042Z");
    }
}
