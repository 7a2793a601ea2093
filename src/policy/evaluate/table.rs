//! Policies and requests with the decisions that AWS's evaluation rules give, which were written
//! down by hand, and not by the evaluator.

use serde::Deserialize;

use super::{Attached, Decision};
use crate::policy::simulation::{KindedPolicy, NamedRequest, simulate};

const TABLE: &str = include_str!("../../../tests/golden/policy/decisions.json");

#[derive(Deserialize)]
struct Table {
    requests: Vec<NamedRequest>,
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    rule: String,
    /// A letter for each request.
    decisions: String,
    policies: Vec<KindedPolicy>,
}

#[test]
fn the_table_is_met() {
    let table: Table = serde_json::from_str(TABLE).unwrap();
    let (mut cells, mut wrong) = (0, String::new());
    for Row { rule, decisions, policies } in &table.rows {
        let policies: Vec<Attached> = policies.iter().map(|policy| policy.to_attached().unwrap()).collect();
        let expected: Vec<_> = decisions.split(' ').map(decision).collect();
        assert_eq!(expected.len(), table.requests.len(), "{rule}");
        for ((request, outcome), expected) in
            table.requests.iter().zip(simulate(&policies, &table.requests)).zip(expected)
        {
            cells += 1;
            if outcome.decision != expected {
                let name = request.name.as_deref().unwrap_or_default();
                wrong += &format!("{rule}, {name}: {:?} instead of {expected:?}\n", outcome.decision);
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(cells >= 1_000, "{cells}");
}

fn decision(letter: &str) -> Decision {
    match letter {
        "A" => Decision::Allow,
        "I" => Decision::ImplicitDeny,
        "E" => Decision::ExplicitDeny,
        "?" => Decision::CantTell,
        other => panic!("{other} is no decision"),
    }
}
