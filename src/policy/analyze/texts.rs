//! The classes of texts: which combinations of patterns a text can match, with an example of each.
//!
//! Patterns are run side by side over the same text, as one automaton; every state of it that can
//! be reached is visited. A state's letters are those that some pattern asks for next, and one of
//! each further kind, for all of a kind lead to the same state.
//!
//! **Invariant:** a combination that some text of the right format makes is found, or the search
//! says that it gave up.

use std::collections::{BTreeSet, HashSet, VecDeque};

use crate::policy::evaluate::pattern::Token;

/// One step of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// This character.
    Char(char),
    /// One of a set.
    One(Set),
    /// Any number of a set, also none.
    Many(Set),
}

/// A set of characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Set {
    /// All.
    Any,
    /// All but the colon: wildcards of an ARN do not reach over one.
    NotColon,
    /// Digits of EC2's ids.
    Hex,
    /// What the id of a domain is made of.
    Word,
    /// What the name of a user profile is made of.
    Profile,
    /// What the names and paths of roles and users are made of.
    Name,
}

/// A pattern, also one without wildcards.
pub(super) type Steps = Vec<Step>;

/// There are more states than is sensible.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooMany;

/// Far more than patterns as people write them make.
const MOST_STATES: usize = 4_000;

/// A text for each combination of `patterns` that a text of one of `formats` can match. Where one
/// of `liked` matches the combination it is taken, else one of the shortest.
pub(super) fn examples(patterns: &[Steps], formats: &[Steps], liked: &[String]) -> Result<Vec<String>, TooMany> {
    let automaton = Automaton { patterns, formats };
    let mut seen: HashSet<Vec<usize>> = HashSet::new();
    let mut found = Vec::new();
    for text in liked {
        let state = text.chars().fold(automaton.start(), |state, c| automaton.next(&state, c));
        if let Some(matched) = automaton.matched(&state)
            && seen.insert(matched)
        {
            found.push(text.clone());
        }
    }
    let mut visited = HashSet::from([automaton.start()]);
    let mut queue = VecDeque::from([(automaton.start(), String::new())]);
    while let Some((state, text)) = queue.pop_front() {
        if let Some(matched) = automaton.matched(&state)
            && seen.insert(matched)
        {
            found.push(text.clone());
        }
        for letter in automaton.letters(&state) {
            let next = automaton.next(&state, letter);
            if automaton.is_alive(&next) && visited.insert(next.clone()) {
                queue.push_back((next, format!("{text}{letter}")));
            }
        }
        if visited.len() > MOST_STATES {
            return Err(TooMany);
        }
    }
    Ok(found)
}

/// Exactly this text.
pub(super) fn exactly(text: &str) -> Steps {
    text.chars().map(Step::Char).collect()
}

/// This text, then one or more of a set.
pub(super) fn then_some(prefix: &str, set: Set) -> Steps {
    exactly(prefix).into_iter().chain([Step::One(set), Step::Many(set)]).collect()
}

/// A value in which `*` and `?` count.
pub(super) fn wild(tokens: &[Token]) -> Steps {
    tokens.iter().map(|token| step(token, Set::Any)).collect()
}

/// A value as `ArnLike` reads it; `None` for one that matches no ARN, for want of parts.
pub(super) fn arn(tokens: &[Token]) -> Option<Steps> {
    let mut colons = 0;
    let mut steps = Vec::new();
    for token in tokens {
        steps.push(step(token, if colons < 5 { Set::NotColon } else { Set::Any }));
        colons += usize::from(token.character == ':');
    }
    (colons >= 5).then_some(steps)
}

fn step(token: &Token, set: Set) -> Step {
    match token {
        Token { character: '*', wild: true } => Step::Many(set),
        Token { character: '?', wild: true } => Step::One(set),
        Token { character, .. } => Step::Char(*character),
    }
}

struct Automaton<'a> {
    patterns: &'a [Steps],
    formats: &'a [Steps],
}

/// Where in which pattern the text may stand. Formats are counted behind the patterns.
type State = BTreeSet<(usize, usize)>;

impl Automaton<'_> {
    fn steps(&self, index: usize) -> &Steps {
        self.patterns.get(index).unwrap_or_else(|| &self.formats[index - self.patterns.len()])
    }

    fn start(&self) -> State {
        let mut state = State::new();
        for index in 0..self.patterns.len() + self.formats.len() {
            self.enter(&mut state, index, 0);
        }
        state
    }

    /// Adds a place, and those behind it that need no further character.
    fn enter(&self, state: &mut State, index: usize, place: usize) {
        state.insert((index, place));
        if let Some(Step::Many(_)) = self.steps(index).get(place) {
            self.enter(state, index, place + 1);
        }
    }

    fn next(&self, state: &State, letter: char) -> State {
        let mut next = State::new();
        for (index, place) in state {
            match self.steps(*index).get(*place) {
                Some(Step::Char(character)) if *character == letter => self.enter(&mut next, *index, place + 1),
                Some(Step::One(set)) if set.has(letter) => self.enter(&mut next, *index, place + 1),
                Some(Step::Many(set)) if set.has(letter) => self.enter(&mut next, *index, *place),
                Some(_) | None => {}
            }
        }
        next
    }

    /// The letters worth trying: those asked for, and one of each other kind.
    fn letters(&self, state: &State) -> Vec<char> {
        let mut asked = BTreeSet::new();
        let mut sets: Vec<Set> = Vec::new();
        for (index, place) in state {
            match self.steps(*index).get(*place) {
                Some(Step::Char(character)) => drop(asked.insert(*character)),
                Some(Step::One(set) | Step::Many(set)) if !sets.contains(set) => sets.push(*set),
                Some(Step::One(_) | Step::Many(_)) | None => {}
            }
        }
        let mut kinds: HashSet<Vec<bool>> = HashSet::new();
        let common = ('a'..='z').chain('0'..='9').chain('A'..='Z').chain("-/_.:+=,@ !".chars());
        let fresh = common.filter(|letter| !asked.contains(letter));
        let fresh = fresh.filter(|letter| kinds.insert(sets.iter().map(|set| set.has(*letter)).collect()));
        let fresh: Vec<_> = fresh.collect();
        asked.into_iter().chain(fresh).collect()
    }

    /// Whether the text can still get a right format.
    fn is_alive(&self, state: &State) -> bool {
        // Formats come last in the order of places.
        state.last().is_some_and(|(index, _)| *index >= self.patterns.len())
    }

    /// Which patterns the text matches, if its format is right.
    fn matched(&self, state: &State) -> Option<Vec<usize>> {
        let complete = state.iter().filter(|(index, place)| *place == self.steps(*index).len());
        let matched: Vec<usize> = complete.map(|(index, _)| *index).collect();
        let patterns = matched.partition_point(|index| *index < self.patterns.len());
        (patterns < matched.len()).then(|| matched[..patterns].to_vec())
    }
}

impl Set {
    fn has(self, letter: char) -> bool {
        match self {
            Self::Any => true,
            Self::NotColon => letter != ':',
            Self::Hex => matches!(letter, '0'..='9' | 'a'..='f'),
            Self::Word => matches!(letter, '0'..='9' | 'a'..='z'),
            Self::Profile => letter.is_ascii_alphanumeric() || letter == '-',
            Self::Name => letter.is_ascii_alphanumeric() || "-_.+=,@/".contains(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::evaluate::pattern::{arn_like, glob, literal};

    fn any() -> Vec<Steps> {
        vec![vec![Step::Many(Set::Any)]]
    }

    fn of(patterns: &[&str]) -> Vec<String> {
        let patterns: Vec<_> = patterns.iter().map(|pattern| wild(&literal(pattern))).collect();
        let mut found = examples(&patterns, &any(), &[]).unwrap();
        found.sort();
        found
    }

    #[test]
    fn each_combination_of_two_patterns_has_one_example() {
        // Neither, the first, the second, both.
        let found = of(&["a*", "*b"]);
        assert_eq!(found, ["", "a", "ab", "b"]);
    }

    #[test]
    fn a_combination_that_cannot_be_has_no_example() {
        assert_eq!(of(&["ab", "a?"]), ["", "aa", "ab"]);
        assert_eq!(of(&["*", "x"]), ["", "x"]);
    }

    /// Held against all short texts over three letters.
    #[test]
    fn no_combination_is_missed() {
        let mut dice = fastrand::Rng::with_seed(7);
        let mut texts = vec![String::new()];
        for length in 0..5 {
            let longest: Vec<_> = texts.iter().filter(|text| text.len() == length).cloned().collect();
            texts.extend(longest.iter().flat_map(|text| ['a', 'b', 'z'].map(|letter| format!("{text}{letter}"))));
        }
        for _ in 0..200 {
            let pattern = |dice: &mut fastrand::Rng| {
                (0..dice.usize(1..4)).map(|_| *dice.choice(b"ab*?").unwrap() as char).collect()
            };
            let patterns: Vec<String> = (0..3).map(|_| pattern(&mut dice)).collect();
            let vector = |text: &String| patterns.iter().map(|p| glob(&literal(p), text)).collect::<Vec<_>>();
            let steps: Vec<_> = patterns.iter().map(|pattern| wild(&literal(pattern))).collect();
            let found = examples(&steps, &any(), &[]).unwrap();
            let expected: BTreeSet<_> = texts.iter().map(vector).collect();
            let vectors: BTreeSet<_> = found.iter().map(vector).collect();
            assert_eq!(vectors.len(), found.len(), "{patterns:?} {found:?}");
            assert!(expected.is_subset(&vectors), "{patterns:?} {found:?}");
        }
    }

    #[test]
    fn examples_keep_to_the_format_and_take_what_is_liked() {
        let patterns = [exactly("vpce-0a"), wild(&literal("vpce-0*"))];
        let formats = [then_some("vpce-", Set::Hex)];
        let found = examples(&patterns, &formats, &["vpce-0ffff".to_owned(), "nonsense".to_owned()]).unwrap();
        assert_eq!(found, ["vpce-0ffff", "vpce-a", "vpce-0a"]);
    }

    #[test]
    fn an_arn_pattern_matches_as_the_evaluator_does() {
        for pattern in ["arn:aws:iam::*:role/a*", "arn:*:iam::123456789012:*", "arn:aws:iam::1234567890?2:user/x"] {
            let steps = arn(&literal(pattern)).unwrap();
            let formats =
                [then_some("arn:aws:iam::123456789012:role/", Set::Name), exactly("arn:aws:iam::123456789012:root")];
            let found = examples(std::slice::from_ref(&steps), &formats, &[]).unwrap();
            let matches = found.iter().filter(|text| arn_like(&literal(pattern), text)).count();
            assert!(matches <= 1 && found.len() - matches <= 1, "{pattern} {found:?}");
        }
        assert_eq!(arn(&literal("*")), None);
    }

    #[test]
    fn patterns_that_multiply_too_far_are_given_up() {
        let patterns: Vec<_> = (0..14).map(|n| format!("*{}*x*", (b'a' + n) as char)).collect();
        let steps: Vec<_> = patterns.iter().map(|pattern| wild(&literal(pattern))).collect();
        assert_eq!(examples(&steps, &any(), &[]), Err(TooMany));
    }
}
