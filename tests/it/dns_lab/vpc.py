"""The VPC's resolver, as on-prem servers reach it through the inbound endpoint: `vpc.py EMULATOR-SOCKET ADDRESS…`.

It answers from the private hosted zones that the emulator holds, which it reads over AWS's API. Alias records lead to
the addresses of the interface endpoint that they name.

**Invariant:** what it answers is what the emulator holds at that time; nothing is known beforehand.
"""

import http.client
import socket
import struct
import sys
import threading
import time
import xml.etree.ElementTree as xml

A, NS, SOA, AAAA, OPT = 1, 2, 6, 28, 41
NOERROR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = 0, 2, 3, 4, 5

# Nothing, so that no cache in the lab hides what was just damaged. An interface endpoint's own is 60.
TTL = 0
REGION = "us-east-1"


# ---- What the emulator holds ----


class Emulator:
    """AWS's API, over the emulator's Unix socket."""

    def __init__(self, path):
        self.path = path
        self.lock = threading.Lock()
        self.read_at = 0.0
        self.zones, self.endpoints = {}, {}

    def held(self):
        """The zones by name, and the addresses of endpoints by host name; read anew where they are not just read."""
        with self.lock:
            if time.monotonic() - self.read_at > 0.2:
                account = self.account()
                self.zones, self.endpoints = self.read_zones(account), self.read_endpoints(account)
                self.read_at = time.monotonic()
            return self.zones, self.endpoints

    def account(self):
        with open(self.path + ".account", encoding="ascii") as file:
            return file.read().strip()

    def read_zones(self, account):
        zones = {}
        for zone in each(self.ask(account, "route53", "GET", "/2013-04-01/hostedzone"), "HostedZone"):
            identity = text(zone, "Id").rpartition("/")[2]
            records = {}
            answer = self.ask(account, "route53", "GET", f"/2013-04-01/hostedzone/{identity}/rrset")
            for record in each(answer, "ResourceRecordSet"):
                aliases = [text(alias, "DNSName").rstrip(".").lower() for alias in each(record, "AliasTarget")]
                values = [text(value, "Value") for value in each(record, "ResourceRecord")]
                name = text(record, "Name").replace("\\052", "*").rstrip(".").lower()
                records[name, text(record, "Type")] = (aliases, values)
            zones[text(zone, "Name").rstrip(".").lower()] = records
        return zones

    def read_endpoints(self, account):
        def ec2(action):
            return self.ask(account, "ec2", "POST", "/", f"Action={action}&Version=2016-11-15")

        interfaces = {}
        for item in items(ec2("DescribeNetworkInterfaces"), "networkInterfaceSet"):
            addresses = [text(item, "privateIpAddress")]
            addresses += [text(address, "ipv6Address") for address in items(item, "ipv6AddressesSet")]
            interfaces[text(item, "networkInterfaceId")] = [address for address in addresses if address]
        endpoints = {}
        for item in items(ec2("DescribeVpcEndpoints"), "vpcEndpointSet"):
            ids = [each_id.text for each_id in items(item, "networkInterfaceIdSet")]
            addresses = [address for one in ids for address in interfaces.get(one, [])]
            for entry in items(item, "dnsEntrySet"):
                endpoints[text(entry, "dnsName").rstrip(".").lower()] = addresses
        return endpoints

    def ask(self, account, service, method, path, body=None):
        connection = http.client.HTTPConnection("emulator", timeout=5)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(5)
        connection.sock.connect(self.path)
        credential = f"AKIA{account}TEST/20260101/{REGION}/{service}/aws4_request"
        headers = {
            "Host": f"{service}.{REGION}.amazonaws.com",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0",
            "Connection": "close",
        }
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        data = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path}: {answer.status} {data[:500]!r}")
        return xml.fromstring(data)


def each(element, name):
    return [found for found in element.iter() if found.tag.rpartition("}")[2] == name]


def items(element, name):
    """The items of the first list of this name."""
    lists = each(element, name)
    return [child for child in lists[0] if child.tag.rpartition("}")[2] == "item"] if lists else []


def text(element, name):
    return next((child.text or "" for child in element if child.tag.rpartition("}")[2] == name), "")


# ---- From a question to an answer ----


def look_up(name, kind, zones, endpoints):
    """The response code, the zone, and the addresses, as Route 53 has it: the most specific zone, and nothing else."""
    covering = [zone for zone in zones if name == zone or name.endswith("." + zone)]
    if not covering:
        return REFUSED, "", []
    zone = max(covering, key=len)
    records = zones[zone]
    owner = next((one for one in owners(name, zone) if any(known == one for known, _ in records)), None)
    if owner is None:
        return NXDOMAIN, zone, []
    aliases, values = records.get((owner, {A: "A", AAAA: "AAAA"}.get(kind, "")), ([], []))
    addresses = values + [address for alias in aliases for address in endpoints.get(alias, [])]
    return NOERROR, zone, [address for address in addresses if (":" in address) == (kind == AAAA)]


def owners(name, zone):
    """The name, then the wildcards that cover it."""
    yield name
    labels = name.split(".")
    for count in range(1, len(labels) - zone.count(".")):
        yield ".".join(["*", *labels[count:]])


def reply_to(question, emulator):
    """The reply to a message, or None to what is none."""
    if len(question) < 12:
        return None
    identity, flags, count = struct.unpack("!HHH", question[:6])
    if flags & 0x8000 or count != 1:
        return None
    labels, end = [], 12
    while question[end]:
        labels.append(question[end + 1 : end + 1 + question[end]].decode("ascii", "replace"))
        end += 1 + question[end]
    kind = struct.unpack("!H", question[end + 1 : end + 3])[0]
    name = ".".join(labels).lower()
    try:
        code, zone, addresses = look_up(name, kind, *emulator.held())
    except Exception as error:  # Whatever it is, the client must hear of it, and the log.
        print(f"{name}: {error!r}", file=sys.stderr, flush=True)
        code, zone, addresses = SERVFAIL, "", []
    print(f"{name} {kind} {code} {addresses}", file=sys.stderr, flush=True)
    answers = b"".join(record(b"\xc0\x0c", kind, packed(address)) for address in addresses)
    authority = b"" if addresses or not zone else record(encode(zone), SOA, soa(zone))
    # What follows the question may be the client's EDNS, which is answered in kind.
    has_edns = question[end + 5 : end + 8] == b"\x00\x00\x29"
    edns = b"\x00" + struct.pack("!HHIH", OPT, 1232, 0, 0) if has_edns else b""
    # QR, RA, and from the question RD and CD.
    header = (identity, 0x8080 | (flags & 0x0110) | code, 1, len(addresses), int(bool(authority)), int(has_edns))
    return struct.pack("!6H", *header) + question[12 : end + 5] + answers + authority + edns


def record(owner, kind, data):
    return owner + struct.pack("!HHIH", kind, 1, TTL, len(data)) + data


def packed(address):
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)


def soa(zone):
    return encode("ns." + zone) + encode("hostmaster." + zone) + struct.pack("!5I", 1, 3600, 600, 86400, TTL)


def encode(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\x00"


# ---- Listening ----


def serve_udp(server, emulator):
    def answer(question, client):
        if reply := reply_to(question, emulator):
            server.sendto(reply, client)

    while True:
        threading.Thread(target=answer, args=server.recvfrom(4096), daemon=True).start()


def serve_tcp(server, emulator):
    def answer(connection):
        with connection, connection.makefile("rb") as stream:
            while len(length := stream.read(2)) == 2:
                reply = reply_to(stream.read(struct.unpack("!H", length)[0]), emulator)
                if reply is None:
                    return
                connection.sendall(struct.pack("!H", len(reply)) + reply)

    while True:
        threading.Thread(target=answer, args=server.accept()[:1], daemon=True).start()


def main(path, *addresses):
    emulator = Emulator(path)
    for address in addresses:
        # One socket for each address, so that a reply comes from where the question went.
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind((address, 53))
        tcp = socket.create_server((address, 53))
        threading.Thread(target=serve_udp, args=(udp, emulator), daemon=True).start()
        threading.Thread(target=serve_tcp, args=(tcp, emulator), daemon=True).start()
    threading.Event().wait()


main(*sys.argv[1:])
