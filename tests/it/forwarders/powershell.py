"""Holds a PowerShell script against the grammar and the reference of the cmdlets it may use.

    powershell.py SCRIPT

Prints what is wrong with the script, one finding a line, and ends with exit code 1 if there is any.

No PowerShell and no Windows are needed. What a parameter is stands below as the reference of the module has it (DnsServer
of Windows Server 2022; for the others PowerShell 5.1): a switch stands alone or takes a value after a colon, everything
else takes a value, a Boolean one that is a Boolean.

**Invariant:** the script is parsed and never run.
"""

import sys

import tree_sitter
import tree_sitter_powershell

SWITCH, BOOLEAN, VALUE = "a switch", "a Boolean", "a value"
COMMON = {"ErrorAction": VALUE}

# By cmdlet: its parameters that are of use here.
CMDLETS = {
    "Add-DnsServerConditionalForwarderZone": {
        "Name": VALUE,
        "MasterServers": VALUE,
        "UseRecursion": SWITCH,
        "ForwarderTimeout": VALUE,
        "ReplicationScope": VALUE,
        "PassThru": SWITCH,
    },
    "Set-DnsServerConditionalForwarderZone": {
        "Name": VALUE,
        "MasterServers": VALUE,
        "UseRecursion": BOOLEAN,
        "ForwarderTimeout": VALUE,
        "ReplicationScope": VALUE,
        "PassThru": SWITCH,
    },
    "Get-DnsServerZone": {"Name": VALUE},
    "Get-DnsServerTrustAnchor": {"Name": VALUE},
    "Clear-DnsServerCache": {"Force": SWITCH},
    "Get-CimInstance": {"ClassName": VALUE},
    "Write-Warning": {"Message": VALUE},
}

# Parameters without which the cmdlet asks or refuses. A value without a name is taken for the first of them.
NEEDED = {
    "Add-DnsServerConditionalForwarderZone": ["Name", "MasterServers"],
    "Set-DnsServerConditionalForwarderZone": ["Name"],
    "Get-DnsServerTrustAnchor": ["Name"],
    "Get-CimInstance": ["ClassName"],
    "Write-Warning": ["Message"],
}

# Parameters of different parameter sets: together they are refused.
EXCLUSIVE = {
    "Set-DnsServerConditionalForwarderZone": [("ReplicationScope", "MasterServers"), ("ReplicationScope", "UseRecursion")],
}

REPLICATION_SCOPES = {"Custom", "Domain", "Forest", "Legacy"}


def main():
    """Reads the script, prints the findings."""
    with open(sys.argv[1], "rb") as file:
        source = file.read()
    findings = list(check(source))
    print("\n".join(findings))
    return 1 if findings else 0


def check(source):
    """Every finding as a sentence, with its line."""
    language = tree_sitter.Language(tree_sitter_powershell.language())
    root = tree_sitter.Parser(language).parse(source).root_node
    commands = 0
    for node in descend(root):
        line = node.start_point[0] + 1
        if node.is_error or node.is_missing:
            yield f"line {line}: this does not parse: {text(node)[:60]!r}"
        elif node.type == "command":
            commands += 1
            for finding in check_command(node):
                yield f"line {line}: {finding}"
        elif node.type == "invokation_expression":
            yield f"line {line}: a method is called: {text(node)!r}"
    if commands == 0:
        yield "there is no command in the script"


def check_command(node):
    """Findings about one command."""
    name_node = node.child_by_field_name("command_name")
    called = any(child.type == "command_invokation_operator" for child in node.children)
    if called or name_node is None or name_node.type != "command_name":
        yield f"a command without a plain name: {text(node)!r}"
        return
    name = text(name_node)
    if name not in CMDLETS:
        yield f"{name} is not one of the cmdlets that the script may use"
        return
    known = {**CMDLETS[name], **COMMON}
    given = {}
    for parameter, separator, value in arguments(node):
        if parameter is None:
            parameter = NEEDED.get(name, [None])[0]
            if parameter is None or value.startswith("@"):
                yield f"{name} is given {value!r} without a parameter's name"
                continue
        elif parameter not in known:
            yield f"{name} has no parameter -{parameter}"
            continue
        if parameter in given:
            yield f"{name} is given -{parameter} twice"
        given[parameter] = value
        yield from check_value(name, parameter, known[parameter], separator, value)
    for needed in NEEDED.get(name, []):
        if needed not in given:
            yield f"{name} needs -{needed}"
    for one, other in EXCLUSIVE.get(name, []):
        if one in given and other in given:
            yield f"{name} does not take -{one} together with -{other}"


def check_value(name, parameter, kind, separator, value):
    """Findings about what a parameter is given."""
    is_boolean = value is not None and value.lower() in ("$true", "$false")
    if kind == SWITCH and value is not None and (separator != ":" or not is_boolean):
        yield f"-{parameter} of {name} is a switch and takes a Boolean after a colon only, not {value!r}"
    elif kind != SWITCH and value is None:
        yield f"-{parameter} of {name} needs {kind}"
    elif kind == BOOLEAN and not is_boolean:
        yield f"-{parameter} of {name} is a Boolean, not {value!r}"
    elif parameter == "ReplicationScope" and value.strip("'\"") not in REPLICATION_SCOPES:
        yield f"-{parameter} of {name} has no value {value!r}"


def arguments(node):
    """Name, separator and value of each argument; a name or a value may be None."""
    elements = next((child for child in node.children if child.type == "command_elements"), None)
    name, separator = None, ""
    for element in elements.children if elements else []:
        if element.type == "command_argument_sep":
            separator += text(element).strip()
        elif element.type == "command_parameter":
            if name is not None:
                yield name, "", None
            name, separator = text(element).lstrip("-"), ""
        else:
            # What follows a switch after a space is a value of its own, which check_value tells of.
            yield name, separator, text(element)
            name, separator = None, ""
    if name is not None:
        yield name, "", None


def descend(node):
    """The node and all below it."""
    yield node
    for child in node.children:
        yield from descend(child)


def text(node):
    """What stands in the script."""
    return node.text.decode("utf-8", "replace")


if __name__ == "__main__":
    sys.exit(main())
