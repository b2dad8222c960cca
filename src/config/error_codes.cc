// The catalogue of diagnostics. A number is never reused; `hangu explain` and docs/config.md print
// it.
#include <algorithm>

#include <fmt/format.h>

#include "hangu/base/letter_case.h"
#include "hangu/config/diagnostic.h"

#include "config/text.h"

namespace hangu::config {

// NOLINTNEXTLINE(readability-function-size): a table
const std::vector<ErrorCode>& error_codes() {
  static const std::vector<ErrorCode> kCodes = {
      {"E0100", "the file cannot be read",
       "The config file does not exist, is a directory, may not be read by this user, or is too "
       "large. "
       "Nothing of it was looked at. Check the path and the permissions; hangu needs to read the "
       "file "
       "again at every reload, after it has dropped its privileges."},
      {"E0101", "YAML syntax",
       "The text is not well-formed YAML, so no key can be read. The position is where the reader "
       "gave up; "
       "the cause is often on the line before it: a missing colon, a quote or bracket that is not "
       "closed, "
       "or an item indented differently from its neighbours."},
      {"E0102", "too large or too deep",
       "A config has at most 8 MiB, 32 levels of nesting and a million values, counted after "
       "aliases were "
       "expanded. The limits keep a broken or hostile file from taking the machine's memory."},
      {"E0103", "tab in the indentation",
       "YAML forbids tabs in indentation, because their width is not defined. Replace them by "
       "spaces; most "
       "editors can do it for the whole file."},
      {"E0104", "duplicate key",
       "A key stands twice in the same mapping (header names are compared without regard to case). "
       "YAML "
       "readers would silently take one of the two, so hangu takes neither. Remove one, or merge "
       "their "
       "contents."},
      {"E0105", "bad alias or merge key",
       "An alias (`*name`) stands inside what its anchor names, or a merge key (`<<`) has "
       "something other "
       "than a mapping or a list of mappings as its value. Anchors can be defined under top-level "
       "keys that "
       "begin with `x-`, which hangu ignores."},
      {"E0106", "not one document",
       "A config file is exactly one YAML document. An empty file, a file of comments only, or a "
       "second "
       "document after `---` is refused."},
      {"E0107", "version missing or unknown",
       "Every config begins with `version: 1`, the version of the file's shape. A file of another "
       "version "
       "is not read any further, because its keys may mean something else."},
      {"E0108", "YAML tag",
       "Tags such as `!!binary` or `!include` are not supported; the type of a value follows from "
       "its key. "
       "Write the value without the tag."},
      {"E0109", "bad byte in the text",
       "A config is UTF-8 text without control characters other than line ends and tabs. The "
       "position is "
       "that of the first bad byte."},
      {"E0110", "wrong type",
       "The value has another kind than the key takes: a list instead of a mapping, a mapping "
       "instead of a "
       "text, or nothing at all. The message says what was found and gives an example of what "
       "fits."},
      {"E0111", "not one of the choices",
       "The key takes one of a few words, listed in the message and in docs/config.md. They are "
       "written in "
       "lower case."},
      {"E0112", "bad duration",
       "A duration is a whole number and one unit: `ms`, `s`, `m`, `h` or `d`, as in `250ms`, "
       "`10s`, `5m`. "
       "A number without a unit is refused, since programs disagree whether it means seconds or "
       "milliseconds; only `0` needs none. Compounds such as `1h30m` are written in the smaller "
       "unit: "
       "`90m`."},
      {"E0113", "bad size",
       "A size is a whole number of bytes, or a number with `KiB`, `MiB`, `GiB` (powers of 1024) "
       "or `KB`, "
       "`MB`, `GB` (powers of 1000). `10M` is refused, because it is read both ways."},
      {"E0114", "bad number",
       "The key takes a whole number in decimal digits, without sign, fraction, exponent or "
       "separators."},
      {"E0115", "out of range",
       "The value is well-formed but outside the limits of its key, which the message and "
       "docs/config.md "
       "give. Zero is allowed only where the documentation says what it means."},
      {"E0116", "bad switch",
       "A switch is `true` or `false`, or `on` or `off`. The words `yes` and `no` are refused, "
       "because YAML "
       "readers disagree about them."},
      {"E0117", "bad address",
       "An address to bind is an IP address with a port, `[::]:8080` or `127.0.0.1:8080`, or "
       "`unix:/path`. "
       "An endpoint may have a name in place of the IP address and has no scheme and no path. IPv6 "
       "addresses stand in brackets. A socket path has at most 107 bytes."},
      {"E0118", "bad network",
       "A network is an address and a prefix length, such as `10.0.0.0/8` or `2001:db8::/32`; a "
       "single "
       "address stands for itself. Bits beyond the prefix length must be zero, so that a mistyped "
       "length "
       "does not pass unnoticed."},
      {"E0119", "bad host",
       "A host in a route's match is a DNS name, an IP address (IPv6 in brackets), or `*.` and a "
       "name, for "
       "the names below it. It has no scheme, no port and no path; names beyond ASCII are written "
       "in their "
       "`xn--` form."},
      {"E0120", "bad path",
       "A path in a route's match begins with `/`, has no query, and is written as it is after "
       "normalisation: unreserved characters not percent-encoded, all others encoded, no `.` or "
       "`..` "
       "segments. Otherwise no request could ever match it."},
      {"E0121", "missing key",
       "A key without a default was not given. The position is that of the mapping that lacks it."},
      {"E0122", "bad name",
       "Names of listeners, upstreams and routes appear in logs, metrics and on command lines: 1 "
       "to 64 "
       "letters, digits, `_`, `-` and `.`, not beginning with `-` or `.`."},
      {"E0123", "unknown key",
       "No key of this name exists at this place. Unknown keys are errors, since a mistyped "
       "timeout that "
       "is silently ignored is found only when it is needed. The suggestion names the nearest key, "
       "or the "
       "place where the key exists. Top-level keys that begin with `x-` are free for anchors."},
      {"E0124", "keys that exclude each other",
       "Two keys of a mapping cannot both be given, such as `exact` and `prefix` of a path. Split "
       "the route "
       "in two if both are wanted."},
      {"E0125", "bad method",
       "A request method is a token (RFC 9110 section 9.1) and case-sensitive; all registered "
       "methods are "
       "in capitals."},
      {"E0126", "bad header name",
       "A header field name is a token: letters, digits and a few signs, no blank and no colon "
       "(RFC 9110 "
       "section 5.1)."},
      {"E0127", "bad header value",
       "A header value has no line breaks or control characters, does not begin or end with a "
       "blank, and "
       "has at most 8 KiB. Of a `file:` value, line ends at the end of the file are dropped "
       "first."},
      {"E0128", "field that may not be edited",
       "Fields that belong to a single connection or frame the message (Connection, "
       "Transfer-Encoding, "
       "Content-Length, Upgrade and their kin) are the gateway's to set: an edit could split or "
       "merge "
       "requests. For Host see the route's key `preserve_host`."},
      {"E0129", "duplicate name",
       "Two listeners, two upstreams or two routes have the same name. Names are how logs, metrics "
       "and "
       "references tell them apart."},
      {"E0130", "address bound twice",
       "Two listeners bind the same address and port. Port 0, which the kernel replaces by a free "
       "one, may "
       "occur several times."},
      {"E0131", "unknown name",
       "A route refers to an upstream, or to a rate limit, that no entry of `upstreams` or "
       "`rate_limits` defines. The suggestion is the nearest name."},
      {"E0132", "admin API open to others",
       "The admin API can stop the gateway. On TCP nothing is encrypted, nor, without "
       "`administrators`, authenticated, so it binds to loopback only. Use the Unix socket, whose "
       "permissions protect it, or set `allow_remote: true` if the network in front of it does."},
      {"E0133", "variable not set",
       "A value refers to `${NAME}`, and the environment has no such variable. Set it where the "
       "process is "
       "started (`Environment=` of a systemd unit, `environment:` of a container), or give a "
       "default: "
       "`${NAME:-value}`, which also replaces an empty value."},
      {"E0134", "bad variable reference",
       "A `${` is not followed by a name of letters, digits and `_` and a `}`. For a literal `${` "
       "write "
       "`$${`."},
      {"E0135", "secret file cannot be read",
       "A value `file:/path` stands for the contents of that file, which could not be read, is "
       "larger than "
       "64 KiB, or has a relative path. Check that the user hangu runs as may read it."},
      {"E0136", "values that contradict each other",
       "Two values are each within their limits but do not fit together, such as a least value "
       "above the "
       "greatest. One of the two may be a default; see docs/config.md."},
      {"E0137", "empty list",
       "The list needs at least one element: a gateway without a listener, or an upstream without "
       "an "
       "endpoint, serves nothing."},
      {"E0138", "bad rate",
       "A rate is a whole number of requests and a slash with `s`, `m` or `h`: `100/s`, `6000/m`. "
       "Where bytes are counted, it may be a size: `1MiB/s`."},
      {"E0139", "bad key part",
       "Requests are told apart by one or several of `client_ip`, `host`, `route`, `method`, "
       "`path`, `path:{NAME}`, `header:NAME`, `cookie:NAME`, `query:NAME`, `consumer`, "
       "`claim:NAME`, `tls_server_name` and `tls_client`."},
      {"E0140", "bad list of networks",
       "A file with networks has an absolute path and can be read; it has one network or address a "
       "line, and comments after `#`."},
      {"E0141", "bad regular expression",
       "Expressions are those of RE2, without look-around and back references, so that every match "
       "takes time in proportion to the text alone. At most 1024 bytes, 15 groups, and 1 MiB once "
       "compiled."},
      {"E0142", "unknown capture",
       "A path is made of what the route's path captures: `{id}` stands for the capture `{id}` of "
       "`match.path.template`, or for the group `(?P<id>...)` of `match.path.regex`; `{1}` for its "
       "first group when that has no name."},
      {"E0160", "bad origin",
       "An origin is what browsers send in the field Origin: a scheme and a host, and a port "
       "unless "
       "it is the usual one of the scheme; no path and no slash at the end. In front of the host "
       "may stand `*.`, for all hosts below it. `*` alone stands for every origin."},
      {"E0162", "bad media type",
       "A media type is `type/subtype`, `type/*`, or `*+suffix` for all types with that suffix, "
       "such as `*+json`. It has no parameters."},
      {"E0163", "unknown variable",
       "A word in braces in the value of a header stands for something of the request, and there "
       "is no such thing. docs/traffic.md lists them. For the text itself double the braces: "
       "`{{word}}`. What has other signs than letters, digits, `_`, `-` and `.` between its braces "
       "is text anyway."},
      {"E0164", "bad substitution",
       "What takes the place of a match is the text of a path, and of a query after a `?`, with "
       "`\\1` to `\\9` for what the groups of the expression took and `\\0` for the whole match. "
       "Other characters than those of a URL are written percent-encoded."},
      {"E0170", "bad offset from UTC",
       "The day of a quota begins at midnight of local time, which is so many hours and minutes "
       "ahead of UTC (+08:00) or behind it (-05:00)."},
      {"E0171", "bad address of a store",
       "A store is `redis://host:port/database`; port 6379 and database 0 may be left out. User "
       "and password are keys of their own, so that the password can come from a file."},
      {"E0175", "bad config of a plugin",
       "The plugin that a route uses does not accept what the route tells it. The words are the "
       "plugin's, the JSON pointer in front of them says which part of its `config` it means; "
       "docs/plugins.md tells how plugins check it."},
      {"E0176", "plugin cannot be used",
       "The file of a plugin cannot be read or loaded, is not the one that `sha256` names, has no "
       "good signature of a key of `trusted_keys`, or was made for an interface that this hangu "
       "does not have."},
      {"E0199", "too many problems",
       "The file has more problems than are shown. Repair the first ones and check again."},
      {"E0146", "bad OpenAPI description",
       "The file that `openapi` names is no description that requests can be held against: it is "
       "no "
       "YAML or JSON, not OpenAPI 3.0 or 3.1, refers to something that is not in it, or asks for "
       "something that hangu cannot check. That is an error, since leaving it out would let "
       "requests "
       "pass that the description forbids. docs/traffic.md lists what is supported."},
      {"E0177", "bad prefix of keys",
       "The keys of a config centre begin with a path, such as `/hangu/`: at most 256 bytes, with "
       "no `//` in it. A slash at its end is added where it lacks."},
      {"E0178", "bad document",
       "A document of the config centre or of the admin API is one element of a list of the "
       "config. Its key says which: "
       "`upstreams/users` is the upstream `users`. The document is the mapping that would stand in "
       "the list; its `name` may be left out, and else is that of the key."},
      {"E0179", "mask in the place of a secret",
       "Secrets never come out of hangu: where one is, a document that is read shows `***`. "
       "Written back as it is, that mask would become the secret. Write the secret itself, or "
       "better a reference to it, `${VARIABLE}` or `file:/path`, which is shown as it is."},
      {"E0185", "bad label or stage",
       "A label of a node is `name=value` of letters, digits, `.`, `_`, `-` and `/`, at most 128 "
       "bytes. A stage of a rollout is a share of all nodes, from `1%` to `100%`, or such a label: "
       "then of the nodes that have it. The labels of instances are a mapping: names of at most 63 "
       "such characters, values of at most 128 bytes without control characters, at most 32 of "
       "them."},
      {"W0150", "unused upstream",
       "No route refers to this upstream, so it gets no requests. Often a route's name for it is "
       "mistyped, "
       "or its route was removed."},
      {"W0151", "shadowed route",
       "Another route comes first and takes every request that this one could, so it never gets "
       "one (or none for the hosts named): an earlier one with the same host and path that takes "
       "at "
       "least the same methods and clients and asks for no other fields, a prefix above a regular "
       "expression, a template with `{rest*}` above a prefix, or an earlier expression that takes "
       "every path before another one. Of equally specific routes the first in the file wins."},
      {"W0152", "secret in plain text",
       "A password, or a header that usually carries a credential, has its value in the config "
       "file, where backups and "
       "repositories will keep it. Refer to it by `${VARIABLE}` or `file:/run/secrets/name`."},
      {"W0153", "listener without routes",
       "There are no routes, so every request to this listener is answered with 404."},
      {"W0154", "repeated element",
       "An element stands twice in a list. It has no further effect, or, for endpoints, draws "
       "twice the "
       "traffic; most often it is a copy that was meant to be changed."},
      {"W0155", "overlapping routes",
       "Two routes have the same host and are equally specific, yet some requests fit both: their "
       "order in the file decides. Make one of them more specific (a method, one more header) or "
       "accept that the first wins. Compared are routes with the same path, and those with "
       "different regular expressions: by paths made of the one that the other takes, so that two "
       "of these may overlap without being found. Where too many routes have a host and path in "
       "common, each is compared with the first of them only, and a warning says so."},
      {"W0156", "missing capture",
       "A key tells requests apart by a part of the path, and a route that uses it has a path that "
       "captures no such part: its requests lack the key."},
      {"W0157", "login without a way back",
       "After a login the browser comes back to the authenticator's `callback_path`. That request "
       "takes the way of all others: a route has to match it, and that route has to have the same "
       "authenticator, or nobody ever gets a session. Logging out works the same way."},
      {"W0158", "release without care",
       "A release (`split.ramp`) can do without a `guard` and without anything that keeps a client "
       "where it is, and a `guard` without a `ramp` does nothing; neither is often meant. A guard "
       "compares the new version's errors and latencies with the old one's and takes the release "
       "back by itself; a `key` or `sticky_cookie` keeps a client from changing versions between "
       "two requests."},
      {"W0159", "sessions of one process",
       "Login sessions live in cookies that are encrypted by a key. Without `secrets` and without "
       "`config_center.keys` each process makes one for itself: everybody has to log in anew when "
       "it is started again, and other nodes do not know its sessions."},
  };
  return kCodes;
}

std::string explain_error_code(std::string_view code) {
  const std::string wanted = upper_case(code);
  for (const ErrorCode& known : error_codes()) {
    if (known.code == wanted) {
      return fmt::format("{}: {}\n\n{}\n", known.code, known.title, known.explanation);
    }
  }
  return "";
}

}  // namespace hangu::config
