//! What is told to the user.
//!
//! A diagnostic answers three questions: what failed, what is true now, what to do.

use super::path::{Path, Step};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; the run goes on.
    Warning,
    /// The run stops here.
    Error,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// One sentence without a full stop.
    pub summary: String,
    /// Why, what is true now, and what to do.
    pub detail: String,
    /// The attribute at fault, where one is.
    pub path: Option<Path>,
}

impl Diagnostic {
    /// An error.
    pub fn error(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Error, summary: summary.into(), detail: detail.into(), path: None }
    }

    /// A warning.
    pub fn warning(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(summary, detail) }
    }

    /// A mistake of the provider's own. Nothing else asks users to report to its developers.
    pub fn bug(what: impl Into<String>) -> Self {
        Diagnostic::error(
            "The provider made a mistake",
            format!(
                "{}\n\nThis is always a bug in the provider. Please report it to the provider's developers.",
                what.into()
            ),
        )
    }

    /// Points at an attribute.
    #[must_use]
    pub fn at(mut self, path: Path) -> Self {
        self.path = Some(path);
        self
    }
}

impl Diagnostic {
    fn at_top_level(mut self) -> Self {
        if let Some(Path(steps)) = &mut self.path
            && steps.iter().skip(1).any(|step| matches!(step, Step::Attribute(_)))
        {
            self.detail = format!("In {}: {}", Path(steps.clone()), self.detail);
            steps.truncate(1);
        }
        self
    }
}

/// Messages in the order they came up, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// None.
    pub fn new() -> Self {
        Diagnostics::default()
    }

    /// Adds a message, unless it is there already.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        if !self.0.contains(&diagnostic) {
            self.0.push(diagnostic);
        }
    }

    /// Whether any is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Points at top-level attributes, and says in words what lies deeper.
    ///
    /// Terraform shows the line of a top-level attribute. For a path that goes on into a nested attribute it finds no
    /// line at all, and shows the head of the resource.
    #[must_use]
    pub fn at_top_level(self) -> Self {
        self.0.into_iter().map(Diagnostic::at_top_level).collect()
    }

    /// Looks at each.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.0.iter()
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, more: I) {
        more.into_iter().for_each(|diagnostic| self.push(diagnostic));
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Diagnostics(vec![diagnostic])
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(iter: I) -> Self {
        let mut all = Diagnostics::new();
        all.extend(iter);
        all
    }
}
