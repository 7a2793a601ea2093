//! What Terraform wrote, made ready to be held against words.

/// The text without line ends and frames: Terraform breaks lines and draws frames where it likes.
pub fn in_one_line(text: &str) -> String {
    text.split_whitespace().filter(|word| !["│", "╷", "╵"].contains(word)).collect::<Vec<_>>().join(" ")
}

/// Fails the test unless all of this stands in the text.
#[track_caller]
pub fn assert_said(text: &str, needed: &[&str]) {
    for needed in needed {
        assert!(text.contains(needed), "{needed:?} is not in: {text}");
    }
}
