//! Schemas into Markdown, in the layout that the Terraform Registry reads.
//!
//! Every sentence about an attribute comes from its schema. What can be told from the schema itself, such as a default,
//! is added here, so that a description need not repeat it.
//!
//! **Invariant:** pure; the same schema gives the same bytes.

use std::fmt::Write as _;

use super::dynamic::{Dynamic, Type};
use super::function::Signature;
use super::schema::{Attribute, Block, Default, Kind, Mode, Nesting, Schema};

/// A page, apart from its schema.
#[derive(Clone, Copy, Debug, Default)]
pub struct Page<'a> {
    /// The provider's short name.
    pub provider: &'a str,
    /// The full name of what the page is about.
    pub name: &'a str,
    /// HCL that shows its use.
    pub example: Option<&'a str>,
    /// A shell command that shows its import.
    pub import: Option<&'a str>,
}

/// What a schema is the schema of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The provider's configuration.
    Provider,
    /// A managed resource.
    Resource,
    /// A data source.
    DataSource,
    /// An ephemeral resource.
    EphemeralResource,
}

impl Subject {
    fn words(self) -> &'static str {
        match self {
            Subject::Provider => "Provider",
            Subject::Resource => "Resource",
            Subject::DataSource => "Data Source",
            Subject::EphemeralResource => "Ephemeral Resource",
        }
    }
}

/// The page of something that has a schema.
pub fn page(subject: Subject, page: Page<'_>, schema: &Schema) -> String {
    let mut text = match subject {
        Subject::Provider => {
            let title = format!("{} Provider", page.name);
            front_matter(&title, schema.description) + &format!("\n# {title}\n\n")
        }
        Subject::Resource | Subject::DataSource | Subject::EphemeralResource => {
            let title = format!("{} {} - {}", page.name, subject.words(), page.provider);
            front_matter(&title, schema.description) + &format!("\n# {} ({})\n\n", page.name, subject.words())
        }
    };
    if let Some(why) = schema.deprecation {
        let _ = writeln!(text, "~> **Deprecated** {why}\n");
    }
    let _ = writeln!(text, "{}", schema.description);
    text.push_str(&fenced("Example Usage", "terraform", page.example));
    text.push_str("\n## Schema\n");
    let mut nested = Vec::new();
    let attributes: Vec<&Attribute> = schema.attributes.iter().collect();
    let blocks: Vec<&Block> = schema.blocks.iter().collect();
    text.push_str(&fields("### ", &attributes, &blocks, "", &mut nested));
    text.push_str(&nested_sections(nested));
    if let Some(command) = page.import {
        let lead = "Import is supported with the following command:\n";
        text.push_str(&fenced("Import", "shell", Some(command)).replacen("\n```", &format!("\n{lead}\n```"), 1));
    }
    text
}

/// The page of a function.
pub fn function_page(page: Page<'_>, signature: &Signature) -> String {
    let title = format!("{} function - {}", page.name, page.provider);
    let mut text = front_matter(&title, signature.summary);
    let _ = write!(text, "\n# function: {}\n\n{}\n", page.name, signature.description);
    text.push_str(&fenced("Example Usage", "terraform", page.example));
    let parameters: Vec<String> =
        signature.parameters.iter().map(|one| format!("{} {}", one.name, expression(&one.of))).collect();
    let line = format!("{}({}) {}", page.name, parameters.join(", "), expression(&signature.result));
    text.push_str(&fenced("Signature", "text", Some(&line)));
    text.push_str("\n## Arguments\n\n");
    for (index, parameter) in signature.parameters.iter().enumerate() {
        let kind = words(&parameter.of);
        let _ = writeln!(text, "{}. `{}` ({kind}) {}", index + 1, parameter.name, parameter.description);
    }
    text
}

fn front_matter(title: &str, description: &str) -> String {
    let first = description.lines().next().unwrap_or_default();
    format!("---\npage_title: {title:?}\nsubcategory: \"\"\ndescription: |-\n  {first}\n---\n")
}

fn fenced(heading: &str, language: &str, content: Option<&str>) -> String {
    content
        .map_or_else(String::new, |content| format!("\n## {heading}\n\n```{language}\n{}\n```\n", content.trim_end()))
}

/// Nested attributes that get a section of their own: their path, and what stands in them.
type Section<'a> = (String, Vec<&'a Attribute>);

/// The lists of required, optional and read-only attributes. Those that are nested are noted for later.
fn fields<'a>(
    heading: &str,
    attributes: &[&'a Attribute],
    blocks: &[&'a Block],
    path: &str,
    nested: &mut Vec<Section<'a>>,
) -> String {
    let mut sorted = attributes.to_vec();
    sorted.sort_by_key(|attribute| attribute.name);
    let mut text = String::new();
    for (title, modes) in [
        ("Required", &[Mode::Required] as &[Mode]),
        ("Optional", &[Mode::Optional, Mode::OptionalComputed]),
        ("Read-Only", &[Mode::Computed]),
    ] {
        let mut lines = String::new();
        for attribute in sorted.iter().filter(|attribute| modes.contains(&attribute.mode)) {
            let _ = writeln!(lines, "{}", line(attribute, path));
            if let Kind::Nested(_, inner) = &attribute.kind {
                nested.push((format!("{path}{}", attribute.name), inner.iter().collect()));
            }
        }
        if title == "Optional" {
            for block in blocks {
                let _ = writeln!(lines, "{}", block_line(block));
                nested.push((block.name.to_owned(), block.attributes.iter().collect()));
            }
        }
        if !lines.is_empty() {
            let colon = if heading.is_empty() { ":" } else { "" };
            let _ = write!(text, "\n{heading}{title}{colon}\n\n{lines}");
        }
    }
    text
}

fn nested_sections(mut waiting: Vec<Section<'_>>) -> String {
    let mut text = String::new();
    while !waiting.is_empty() {
        let mut deeper = Vec::new();
        for (path, attributes) in waiting {
            let _ = write!(text, "\n<a id=\"{}\"></a>\n\n### Nested Schema for `{path}`\n", anchor(&path));
            text.push_str(&fields("", &attributes, &[], &format!("{path}."), &mut deeper));
        }
        waiting = deeper;
    }
    text
}

/// One attribute: name, type, marks, and everything there is to say about it.
fn line(attribute: &Attribute, path: &str) -> String {
    let mut kind = match &attribute.kind {
        Kind::Plain(of) => words(of),
        Kind::Nested(Nesting::Single, _) => "Attributes".to_owned(),
        Kind::Nested(Nesting::List, _) => "Attributes List".to_owned(),
        Kind::Nested(Nesting::Set, _) => "Attributes Set".to_owned(),
        Kind::Nested(Nesting::Map, _) => "Attributes Map".to_owned(),
    };
    for (holds, mark) in [
        (attribute.sensitive, "Sensitive"),
        (attribute.write_only, "Write-only"),
        (attribute.deprecation.is_some(), "Deprecated"),
    ] {
        if holds {
            let _ = write!(kind, ", {mark}");
        }
    }
    let mut text = format!("- `{}` ({kind}) {}", attribute.name, attribute.description.replace('\n', " "));
    if let Some(why) = attribute.deprecation {
        let _ = write!(text, " Deprecated: {why}");
    }
    if let Some(Default::Value(value)) = &attribute.default {
        let _ = write!(text, " Default: `{}`.", literal(value));
    }
    if attribute.replaces {
        text.push_str(" Changing it replaces the resource.");
    }
    if matches!(attribute.kind, Kind::Nested(..)) {
        let _ = write!(text, " (see [below](#{}))", anchor(&format!("{path}{}", attribute.name)));
    }
    text
}

fn block_line(block: &Block) -> String {
    let kind = match (block.nesting, block.max_items) {
        (Nesting::Set, _) => "Block Set".to_owned(),
        (_, 0) => "Block List".to_owned(),
        (_, most) => format!("Block List, Max: {most}"),
    };
    format!("- `{}` ({kind}) {} (see [below](#{}))", block.name, block.description, anchor(block.name))
}

fn anchor(path: &str) -> String {
    format!("nested--{}", path.replace('.', "--"))
}

/// A type in words: `List of String`.
fn words(of: &Type) -> String {
    match of {
        Type::Bool => "Boolean".to_owned(),
        Type::Number => "Number".to_owned(),
        Type::String => "String".to_owned(),
        Type::Dynamic => "Dynamic".to_owned(),
        Type::List(of) => format!("List of {}", words(of)),
        Type::Set(of) => format!("Set of {}", words(of)),
        Type::Map(of) => format!("Map of {}", words(of)),
        Type::Object(_) => "Object".to_owned(),
        Type::Tuple(_) => "Tuple".to_owned(),
    }
}

/// A type as Terraform writes it: `list(string)`.
fn expression(of: &Type) -> String {
    match of {
        Type::Bool => "bool".to_owned(),
        Type::Number => "number".to_owned(),
        Type::String => "string".to_owned(),
        Type::Dynamic => "dynamic".to_owned(),
        Type::List(of) => format!("list({})", expression(of)),
        Type::Set(of) => format!("set({})", expression(of)),
        Type::Map(of) => format!("map({})", expression(of)),
        Type::Object(attributes) => {
            let inner: Vec<_> = attributes.iter().map(|(name, of)| format!("{name} = {}", expression(of))).collect();
            format!("object({{ {} }})", inner.join(", "))
        }
        Type::Tuple(types) => {
            format!("tuple([{}])", types.iter().map(expression).collect::<Vec<_>>().join(", "))
        }
    }
}

/// A value as HCL writes it.
fn literal(value: &Dynamic) -> String {
    match value {
        Dynamic::Null => "null".to_owned(),
        Dynamic::Bool(value) => value.to_string(),
        Dynamic::Number(number) => number.as_i64().map_or_else(|| number.as_f64().to_string(), |int| int.to_string()),
        Dynamic::String(text) => format!("{text:?}"),
        Dynamic::List(elements) => {
            format!("[{}]", elements.iter().map(literal).collect::<Vec<_>>().join(", "))
        }
        Dynamic::Map(elements) => {
            let inner: Vec<_> = elements.iter().map(|(name, value)| format!("{name} = {}", literal(value))).collect();
            format!("{{ {} }}", inner.join(", "))
        }
        Dynamic::Typed(typed) => literal(&typed.1),
        Dynamic::Unknown(_) => unreachable!("a default is known"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::function::Parameter;
    use expect_test::expect;

    #[test]
    fn a_page_says_what_the_schema_knows() {
        let schema = Schema {
            description: "A thing.\n\nIt has parts.",
            attributes: vec![
                Attribute::string("name").required().replaces().describe("Its name."),
                Attribute::string("mode").default_to("guard").describe("How it works."),
                Attribute::string_set("ranges").describe("Who may."),
                Attribute::string("secret").sensitive().describe("Hidden."),
                Attribute::nested(
                    "parts",
                    Nesting::Map,
                    vec![
                        Attribute::bool("enabled").default_to(true).describe("Whether."),
                        Attribute::nested("more", Nesting::Single, vec![Attribute::string("x").describe("X.")])
                            .describe("Deeper."),
                    ],
                )
                .describe("Its parts."),
                Attribute::string("id").computed().describe("Its id."),
            ],
            ..Schema::default()
        };
        let example = Some("resource \"p_thing\" \"x\" {}\n");
        let about = Page { provider: "p", name: "p_thing", example, import: Some("terraform import p_thing.x id") };
        expect![[r####"
            ---
            page_title: "p_thing Resource - p"
            subcategory: ""
            description: |-
              A thing.
            ---

            # p_thing (Resource)

            A thing.

            It has parts.

            ## Example Usage

            ```terraform
            resource "p_thing" "x" {}
            ```

            ## Schema

            ### Required

            - `name` (String) Its name. Changing it replaces the resource.

            ### Optional

            - `mode` (String) How it works. Default: `"guard"`.
            - `parts` (Attributes Map) Its parts. (see [below](#nested--parts))
            - `ranges` (Set of String) Who may.
            - `secret` (String, Sensitive) Hidden.

            ### Read-Only

            - `id` (String) Its id.

            <a id="nested--parts"></a>

            ### Nested Schema for `parts`

            Optional:

            - `enabled` (Boolean) Whether. Default: `true`.
            - `more` (Attributes) Deeper. (see [below](#nested--parts--more))

            <a id="nested--parts--more"></a>

            ### Nested Schema for `parts.more`

            Optional:

            - `x` (String) X.

            ## Import

            Import is supported with the following command:

            ```shell
            terraform import p_thing.x id
            ```
        "####]]
        .assert_eq(&page(Subject::Resource, about, &schema));
    }

    #[test]
    fn a_provider_page_lists_its_blocks() {
        let schema = Schema {
            description: "A provider.",
            attributes: vec![Attribute::string("region").describe("Where.")],
            blocks: vec![Block {
                name: "assume_role",
                nesting: Nesting::List,
                attributes: vec![Attribute::string("role_arn").describe("The role.")],
                description: "A role.",
                max_items: 1,
            }],
            ..Schema::default()
        };
        let text = page(Subject::Provider, Page { name: "p", ..Page::default() }, &schema);
        assert!(text.contains("page_title: \"p Provider\""), "{text}");
        assert!(text.contains("- `assume_role` (Block List, Max: 1) A role. (see [below](#nested--assume_role))"));
        assert!(text.contains("### Nested Schema for `assume_role`\n\nOptional:\n\n- `role_arn` (String) The role."));
    }

    #[test]
    fn a_function_page_has_the_signature() {
        let signature = Signature {
            summary: "Names.",
            description: "All names.",
            parameters: vec![Parameter { name: "region", of: Type::String, description: "Where." }],
            result: Type::list(Type::String),
        };
        let about = Page { provider: "p", name: "names", ..Page::default() };
        let text = function_page(about, &signature);
        assert!(text.contains("```text\nnames(region string) list(string)\n```"), "{text}");
        assert!(text.contains("1. `region` (String) Where."));
    }
}
