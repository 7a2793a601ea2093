//! Where Studio opens.
//!
//! **Invariant:** pure.

/// The kinds of apps that a landing place may name. Others are left to SageMaker, which may know more by now.
const KINDS: [&str; 5] = ["Canvas", "CodeEditor", "JupyterLab", "JupyterServer", "RStudioServerPro"];

/// Checks a landing URI: `studio::` with a path, or `app:`, a kind of app, a colon and a path.
///
/// # Errors
/// What is wrong with it, as a sentence. The forms and the length are those of `LandingUri` of CreatePresignedDomainUrl,
/// and of `DefaultLandingUri` of UserSettings (SageMaker API reference).
pub fn landing_uri(uri: &str) -> Result<(), String> {
    let length = uri.chars().count();
    if length > 1023 {
        return Err(format!("It has {length} characters; up to 1023 are allowed."));
    }
    let kind = uri.strip_prefix("app:").and_then(|rest| rest.split_once(':')).map(|(kind, _)| kind);
    match kind {
        None if uri.starts_with("studio::") => Ok(()),
        Some(kind) if !kind.is_empty() && kind.chars().all(|c| c.is_ascii_alphanumeric()) => {
            match KINDS.iter().find(|known| known.eq_ignore_ascii_case(kind) && **known != kind) {
                Some(known) => Err(format!("The kind of app is written {known}, not {kind}.")),
                None => Ok(()),
            }
        }
        _ => Err(format!(
            "{uri:?} is neither studio::<path> nor app:<kind>:<path>, such as studio:: or app:JupyterLab:lab/tree."
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn studio_and_apps_are_places_to_land() {
        for uri in ["studio::", "studio::relative/path", "app:JupyterLab:lab/tree", "app:SomethingNew:x"] {
            assert_eq!(landing_uri(uri), Ok(()), "{uri}");
        }
    }

    #[test]
    fn what_is_written_otherwise_is_refused() {
        let long = format!("studio::{}", "x".repeat(1016));
        for (uri, said) in [
            ("studio:", "neither"),
            ("https://studio", "neither"),
            ("app::lab", "neither"),
            ("app:jupyterlab:lab", "written JupyterLab"),
            (long.as_str(), "1024 characters"),
        ] {
            assert!(landing_uri(uri).unwrap_err().contains(said), "{uri}");
        }
    }
}
