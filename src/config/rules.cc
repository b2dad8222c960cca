#include "config/rules.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "hangu/base/letter_case.h"
#include "hangu/base/parse.h"
#include "hangu/base/pattern.h"
#include "hangu/config/endpoint_file.h"
#include "hangu/config/path_template.h"

#include "config/text.h"

namespace hangu::config {

namespace {

constexpr size_t kNameBytesMax = 64;
constexpr size_t kHostBytesMax = 253;
constexpr size_t kLabelBytesMax = 63;
constexpr size_t kPathBytesMax = 4096;
constexpr size_t kUnixPathBytesMax = sizeof(sockaddr_un::sun_path) - 1;
constexpr std::string_view kUnixPrefix = "unix:";

using MaybeProblem = std::optional<Problem>;

Problem problem(std::string_view code, std::string message, std::string suggestion = "") {
  return {code, std::move(message), std::move(suggestion)};
}

bool is_ip(int family, std::string_view text) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return text.size() < INET6_ADDRSTRLEN && text.find('\0') == std::string_view::npos &&
         inet_pton(family, std::string(text).c_str(), bytes.data()) == 1;
}

struct HostPort {
  std::string_view host;  // brackets kept
  std::string_view port;
};

/// Splits at the last colon outside brackets; no port when there is none.
HostPort split_port(std::string_view text) {
  const size_t bracket = text.rfind(']');
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || (bracket != std::string_view::npos && colon < bracket)) {
    return {text, {}};
  }
  return {text.substr(0, colon), text.substr(colon + 1)};
}

bool is_bracketed_ipv6(std::string_view host) {
  return host.size() > 2 && host.front() == '[' && host.back() == ']' &&
         is_ip(AF_INET6, host.substr(1, host.size() - 2));
}

MaybeProblem check_unix_path(std::string_view code, std::string_view path) {
  if (path.empty() || path.size() > kUnixPathBytesMax) {
    return problem(code, fmt::format("a socket path has 1 to {} bytes, this one has {}",
                                     kUnixPathBytesMax, path.size()));
  }
  if (std::any_of(path.begin(), path.end(), is_control)) {
    return problem(code, "a control character in the socket path");
  }
  return std::nullopt;
}

// Names.

MaybeProblem apply_name(std::string& text) {
  const bool good =
      !text.empty() && text.size() <= kNameBytesMax && (is_alnum(text[0]) || text[0] == '_') &&
      std::all_of(text.begin(), text.end(),
                  [](char c) { return is_alnum(c) || c == '_' || c == '-' || c == '.'; });
  if (good) {
    return std::nullopt;
  }
  return problem("E0122",
                 fmt::format("{} is not a name: 1 to {} letters, digits, `_`, `-`, `.`, and "
                             "a letter, a digit or `_` first",
                             quoted(text), kNameBytesMax));
}

MaybeProblem apply_node(std::string& text) {
  const bool good =
      !text.empty() && text.size() <= kHostBytesMax &&
      std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
  return good ? MaybeProblem()
              : problem("E0122",
                        fmt::format("{} is not a node name: 1 to {} visible ASCII characters",
                                    quoted(text), kHostBytesMax));
}

// Addresses.

MaybeProblem check_bind(std::string& text, bool allow_unix) {
  if (allow_unix && text.rfind(kUnixPrefix, 0) == 0) {
    return check_unix_path("E0117", std::string_view(text).substr(kUnixPrefix.size()));
  }
  const auto [host, port] = split_port(text);
  if (!port.empty() && parse_decimal(port, 65535)) {
    if (is_ip(AF_INET, host) || is_bracketed_ipv6(host)) {
      return std::nullopt;
    }
    if (host.empty() || host == "*") {
      return problem("E0117", fmt::format("{} has no address before the port", quoted(text)),
                     did_you_mean(fmt::format("[::]:{}", port)));
    }
    if (is_ip(AF_INET6, host)) {
      return problem("E0117", fmt::format("{}: an IPv6 address stands in brackets", quoted(text)),
                     did_you_mean(fmt::format("[{}]:{}", host, port)));
    }
    if (host == "localhost") {
      return problem("E0117", fmt::format("{} is a name; an address is needed", quoted(text)),
                     did_you_mean(fmt::format("127.0.0.1:{}", port)));
    }
  }
  std::string suggestion;
  if (!text.empty() && parse_decimal(text, 65535)) {
    suggestion = did_you_mean("[::]:" + text);
  } else if (is_ip(AF_INET, text) || is_bracketed_ipv6(text)) {
    suggestion = did_you_mean(text + ":8080");
  }
  return problem("E0117",
                 fmt::format("{} is not an address and port such as [::]:8080 or 127.0.0.1:8080{}",
                             quoted(text), allow_unix ? ", or unix:/path" : ""),
                 std::move(suggestion));
}

MaybeProblem apply_bind(std::string& text) {
  return check_bind(text, true);
}

MaybeProblem apply_tcp_bind(std::string& text) {
  return check_bind(text, false);
}

MaybeProblem apply_cidr(std::string& text) {
  const size_t slash = text.find('/');
  const std::string address = text.substr(0, slash);
  const int family = address.find(':') == std::string::npos ? AF_INET : AF_INET6;
  const size_t bits = family == AF_INET ? 32 : 128;
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  const bool good = address.find('\0') == std::string::npos && address.size() < INET6_ADDRSTRLEN &&
                    inet_pton(family, address.c_str(), bytes.data()) == 1;
  const std::optional<uint64_t> length =
      slash == std::string::npos ? bits
                                 : parse_decimal(std::string_view(text).substr(slash + 1), bits);
  if (!good || !length) {
    return problem("E0118", fmt::format("{} is not a network such as 10.0.0.0/8 or 2001:db8::/32",
                                        quoted(text)));
  }
  bool has_host_bits = false;
  for (size_t bit = *length; bit < bits; ++bit) {
    unsigned char& byte = bytes[bit / 8];
    const auto mask = static_cast<unsigned char>(0x80U >> (bit % 8));
    has_host_bits = has_host_bits || (byte & mask) != 0;
    byte = static_cast<unsigned char>(byte & ~mask);
  }
  std::array<char, INET6_ADDRSTRLEN> canonical{};
  inet_ntop(family, bytes.data(), canonical.data(), canonical.size());
  const std::string network = fmt::format("{}/{}", canonical.data(), *length);
  if (has_host_bits) {
    return problem("E0118", fmt::format("{} has bits set beyond its prefix length", quoted(text)),
                   did_you_mean(network));
  }
  text = network;
  return std::nullopt;
}

// Hosts and paths.

bool is_reg_name(std::string_view host) {
  if (host.empty() || host.size() > kHostBytesMax) {
    return false;
  }
  for (size_t begin = 0; begin <= host.size();) {
    const size_t end = std::min(host.find('.', begin), host.size());
    const std::string_view label = host.substr(begin, end - begin);
    const bool good = !label.empty() && label.size() <= kLabelBytesMax && label.front() != '-' &&
                      label.back() != '-' && std::all_of(label.begin(), label.end(), [](char c) {
                        return is_alnum(c) || c == '-' || c == '_';
                      });
    if (!good) {
      return false;
    }
    begin = end + 1;
  }
  const std::string_view last = host.substr(host.rfind('.') + 1);
  return !std::all_of(last.begin(), last.end(), is_digit) || is_ip(AF_INET, host);
}

MaybeProblem apply_host(std::string& text) {
  text = lower_case(text);
  if (text.size() > 1 && text.back() == '.') {
    text.pop_back();
  }
  if (text == "*") {
    return problem("E0119", "a route for every host has no `hosts` at all",
                   "remove the key `hosts`");
  }
  const bool is_wildcard = text.rfind("*.", 0) == 0;
  const std::string_view host = std::string_view(text).substr(is_wildcard ? 2 : 0);
  if (is_reg_name(host) || (!is_wildcard && is_bracketed_ipv6(host))) {
    return std::nullopt;
  }
  if (const HostPort parts = split_port(text); !parts.port.empty() && parse_decimal(parts.port)) {
    return problem("E0119",
                   fmt::format("{} has a port; hosts are compared without it", quoted(text)),
                   did_you_mean(parts.host));
  }
  const bool is_ascii = std::all_of(text.begin(), text.end(),
                                    [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  std::string suggestion;
  if (!is_ascii) {
    suggestion = "write the ASCII form of the name (xn--...)";
  } else if (text.find("://") != std::string::npos) {
    suggestion = did_you_mean(text.substr(text.find("://") + 3));
  } else if (text.find('*') != std::string::npos) {
    suggestion = "a wildcard is the whole first label: *.example.org";
  }
  return problem(
      "E0119",
      fmt::format("{} is not a host such as api.example.org or *.example.org", quoted(text)),
      std::move(suggestion));
}

bool is_unreserved(char c) {
  return is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

/// Decodes what need not be encoded and encodes what must be (RFC 3986 §6.2.2).
std::string canonical_path(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    const bool is_escape = c == '%' && at + 2 < text.size() && hex_digit_value(text[at + 1]) >= 0 &&
                           hex_digit_value(text[at + 2]) >= 0;
    if (is_escape) {
      const auto byte =
          static_cast<char>(hex_digit_value(text[at + 1]) * 16 + hex_digit_value(text[at + 2]));
      out += is_unreserved(byte) ? std::string(1, byte) : std::string(text.substr(at, 3));
      at += 2;
    } else if (static_cast<unsigned char>(c) >= 0x80 || c == ' ' || c == '%') {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

MaybeProblem apply_route_path(std::string& text) {
  if (text.empty() || text[0] != '/') {
    return problem("E0120", fmt::format("the path {} does not begin with `/`", quoted(text)),
                   text.empty() || text.size() > kPathBytesMax ? "" : did_you_mean("/" + text));
  }
  if (text.size() > kPathBytesMax) {
    return problem("E0120", fmt::format("the path is longer than {} bytes", kPathBytesMax));
  }
  if (const size_t at = text.find_first_of("?#"); at != std::string::npos) {
    return problem(
        "E0120", fmt::format("{} has a query or fragment; only the path is matched", quoted(text)),
        did_you_mean(text.substr(0, at)));
  }
  if (text.find('*') != std::string::npos || text.find('{') != std::string::npos) {
    return problem("E0120", fmt::format("{}: a pattern in a path that has none", quoted(text)),
                   "use `template` for captures such as {id}, `prefix` or `regex`");
  }
  if (std::any_of(text.begin(), text.end(), is_control) || text.find('\\') != std::string::npos) {
    return problem("E0120", "a control character or backslash in the path");
  }
  if (const std::string canonical = canonical_path(text); canonical != text) {
    return problem(
        "E0120", fmt::format("{} is not in normal form, so no request can match it", quoted(text)),
        did_you_mean(canonical));
  }
  const std::string with_end = text + '/';
  if (with_end.find("/./") != std::string::npos || with_end.find("/../") != std::string::npos) {
    return problem("E0120", fmt::format("{} has `.` or `..` segments, so no request can match it",
                                        quoted(text)));
  }
  return std::nullopt;
}

/// A path in which captures stand for text.
MaybeProblem check_around_captures(const std::string& text) {
  std::string plain;
  for (size_t at = 0; at < text.size();) {
    const size_t open = std::min(text.find('{', at), text.size());
    plain += text.substr(at, open - at);
    const size_t close = text.find('}', open);
    if (close == std::string::npos) {
      break;
    }
    plain += 'x';
    at = close + 1;
  }
  return apply_route_path(plain);
}

MaybeProblem apply_path_template(std::string& text) {
  if (const auto parsed = PathTemplate::parse(text); !parsed) {
    return problem("E0120", fmt::format("{} is no template: {}", quoted(text), parsed.error()),
                   "captures are whole segments: /users/{id}, and {rest*} at the end");
  }
  return check_around_captures(text);
}

MaybeProblem apply_path_text(std::string& text) {
  if (const auto parsed = PathText::parse(text); !parsed) {
    return problem("E0120", fmt::format("{}: {}", quoted(text), parsed.error()),
                   "write {name} for what the route's path captures");
  }
  return check_around_captures(text);
}

MaybeProblem apply_regex(std::string& text) {
  if (text.empty()) {
    return problem("E0141", "an empty regular expression", "");
  }
  if (const auto compiled = Pattern::compile(text); !compiled) {
    return problem("E0141", fmt::format("{} is no regular expression (RE2): {}", quoted(text),
                                        compiled.error()));
  }
  return std::nullopt;
}

MaybeProblem apply_method(std::string& text) {
  const bool good =
      !text.empty() && text.size() <= 32 && std::all_of(text.begin(), text.end(), is_tchar);
  if (!good) {
    return problem("E0125", fmt::format("{} is not a method such as GET", quoted(text)));
  }
  if (const std::string capitals = upper_case(text); capitals != text) {
    return problem("E0125",
                   fmt::format("methods are case-sensitive, {} is not a usual one", quoted(text)),
                   did_you_mean(capitals));
  }
  return std::nullopt;
}

MaybeProblem apply_file_path(std::string& text) {
  const bool good = !text.empty() && text.size() <= kPathBytesMax && text.back() != '/' &&
                    std::none_of(text.begin(), text.end(), is_control);
  return good ? MaybeProblem()
              : problem("E0111", fmt::format("{} is not the path of a file", quoted(text)));
}

MaybeProblem apply_openssl_list(std::string& text) {
  const bool good = !text.empty() && std::none_of(text.begin(), text.end(),
                                                  [](char c) { return is_control(c) || c == ' '; });
  return good ? MaybeProblem()
              : problem("E0111", fmt::format("{} is no list of names with `:`", quoted(text)));
}

MaybeProblem apply_client_name(std::string& text) {
  for (const std::string_view kind : {"dns:", "uri:", "email:", "ip:"}) {
    if (text.rfind(kind, 0) == 0 && text.size() > kind.size()) {
      return {};
    }
  }
  return problem("E0111", fmt::format("{} does not begin with `dns:`, `uri:`, `email:` or `ip:`",
                                      quoted(text)));
}

MaybeProblem apply_socket_path(std::string& text) {
  if (text.rfind(kUnixPrefix, 0) == 0) {
    text.erase(0, kUnixPrefix.size());
  }
  return check_unix_path("E0117", text);
}

MaybeProblem apply_header_name(std::string& text) {
  return check_header_name(text);
}

}  // namespace

const TextRule kNameRule = {"name", "api", "letters, digits, `_` `-` `.`; at most 64",
                            "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$", apply_name};
const TextRule kNodeRule = {"name", "gw-1", "", "", apply_node};
const TextRule kBindRule = {"address", "[::]:8080", "", "^(unix:.+|.+:[0-9]{1,5})$", apply_bind};
const TextRule kTcpBindRule = {"address", "127.0.0.1:9900", "", "^(off|.+:[0-9]{1,5})$",
                               apply_tcp_bind};
const TextRule kCidrRule = {"network", "10.0.0.0/8", "", "^[0-9A-Fa-f.:]+(/[0-9]{1,3})?$",
                            apply_cidr};
const TextRule kHostRule = {"host", "api.example.org", "", "", apply_host};
const TextRule kRoutePathRule = {"path", "/users", "begins with `/`", "^/[^?#*{]*$",
                                 apply_route_path};
const TextRule kPathTemplateRule = {"path with captures", "/users/{id}", "begins with `/`", "^/",
                                    apply_path_template};
const TextRule kPathTextRule = {"path", "/v2/{id}", "begins with `/`", "^/", apply_path_text};
const TextRule kRegexRule = {"regular expression", "/v[0-9]+/users", "at most 1024 bytes", "",
                             apply_regex};
const TextRule kMethodRule = {"method", "GET", "", "^[!#-'*+.0-9A-Z^_`|~-]+$", apply_method};
const TextRule kFilePathRule = {"file path", "/var/log/hangu/access.log", "", "", apply_file_path};
const TextRule kOpensslListRule = {"list with `:`", "X25519:P-256", "", "", apply_openssl_list};
const TextRule kClientNameRule = {"name of a client", "dns:a.example", "", "", apply_client_name};
const TextRule kSocketPathRule = {"socket path", "/run/hangu/admin.sock", "at most 107 bytes", "",
                                  apply_socket_path};
const TextRule kHeaderNameRule = {"field name", "x-debug", "", "^[!#-'*+.0-9A-Za-z^_`|~-]+$",
                                  apply_header_name};

namespace {

MaybeProblem apply_header_value(std::string& text) {
  return check_header_value(text);
}

MaybeProblem apply_text(std::string& text) {
  constexpr size_t kBytesMax = 65'536;
  if (text.size() > kBytesMax) {
    return problem(
        "E0115", fmt::format("{} bytes of text are too many: {} at most", text.size(), kBytesMax));
  }
  return std::nullopt;
}

/// Of a request, with or without a query.
MaybeProblem apply_target(std::string& text) {
  const bool good = !text.empty() && text[0] == '/' && text.size() <= kPathBytesMax &&
                    std::none_of(text.begin(), text.end(),
                                 [](char c) { return is_control(c) || c == ' ' || c == '#'; });
  return good ? MaybeProblem()
              : problem("E0120", fmt::format("{} is no path that can be asked for", quoted(text)),
                        text.empty() || text[0] == '/' ? "" : did_you_mean("/" + text));
}

MaybeProblem apply_cookie_name(std::string& text) {
  constexpr size_t kBytesMax = 64;
  const bool good =
      !text.empty() && text.size() <= kBytesMax && std::all_of(text.begin(), text.end(), is_tchar);
  return good ? MaybeProblem()
              : problem("E0111", fmt::format("{} is not the name of a cookie: letters, digits and "
                                             "a few signs, at most {}",
                                             quoted(text), kBytesMax));
}

MaybeProblem apply_cookie_path(std::string& text) {
  if (text.find(';') != std::string::npos) {
    return problem("E0120", fmt::format("{} cannot be the path of a cookie", quoted(text)));
  }
  return apply_target(text);
}

MaybeProblem apply_peer(std::string& text) {
  Endpoint endpoint;
  MaybeProblem found = check_endpoint(text, endpoint);
  return found || endpoint.unix_path.empty()
             ? found
             : problem("E0111", fmt::format("{} is no `host:port`", quoted(text)));
}

MaybeProblem apply_pattern(std::string& text) {
  const auto pattern = Pattern::compile(text);
  if (!pattern) {
    return problem("E0111", fmt::format("{}: {}", quoted(text), pattern.error()));
  }
  return pattern->matches("")
             ? problem("E0111", fmt::format("{} matches the empty text, too", quoted(text)))
             : MaybeProblem();
}

}  // namespace

const TextRule kTargetRule = {"path", "/healthz", "begins with `/`; may have a query", "^/[^ #]*$",
                              apply_target};
const TextRule kCookieNameRule = {"cookie name", "sticky", "", "^[!#-'*+.0-9A-Za-z^_`|~-]{1,64}$",
                                  apply_cookie_name};
const TextRule kCookiePathRule = {"path", "/app", "begins with `/`", "^/[^ #;]*$",
                                  apply_cookie_path};
const TextRule kHeaderValueRule = {"field value", "text/plain", "", "", apply_header_value};
const TextRule kTextRule = {"text", "closed", "at most 64 KiB", "", apply_text};
const TextRule kPeerRule = {"address", "logs.example.org:6514", "", "^.+:[0-9]{1,5}$", apply_peer};
const TextRule kPatternRule = {"regular expression", "[0-9]{16}", "", "", apply_pattern};

std::optional<Problem> check_endpoint(std::string_view text, Endpoint& out) {
  if (text.rfind(kUnixPrefix, 0) == 0) {
    out.unix_path = text.substr(kUnixPrefix.size());
    return check_unix_path("E0117", out.unix_path);
  }
  std::string suggestion;
  const size_t scheme = text.find("://");
  if (scheme != std::string_view::npos) {
    const std::string_view rest = text.substr(scheme + 3);
    suggestion = did_you_mean(rest.substr(0, rest.find('/')));
  } else if (is_ip(AF_INET6, text)) {
    suggestion = did_you_mean(fmt::format("[{}]:80", text));
  } else if (is_ip(AF_INET, text) || is_bracketed_ipv6(text) || is_reg_name(text)) {
    suggestion = did_you_mean(fmt::format("{}:80", text));
  }
  const auto [host, port] = split_port(text);
  const std::optional<uint64_t> number = parse_decimal(port, 65535);
  const bool is_v6 = is_bracketed_ipv6(host);
  if (scheme != std::string_view::npos || !number || *number == 0 ||
      !(is_v6 || is_reg_name(host))) {
    return problem("E0117",
                   fmt::format("{} is not an endpoint such as 127.0.0.1:9000, "
                               "app.example.org:8080 or unix:/run/app.sock",
                               quoted(text)),
                   std::move(suggestion));
  }
  out.host = lower_case(is_v6 ? host.substr(1, host.size() - 2) : host);
  out.port = static_cast<uint16_t>(*number);
  return std::nullopt;
}

std::string format_endpoint(const Endpoint& endpoint) {
  if (!endpoint.unix_path.empty()) {
    return std::string(kUnixPrefix) + endpoint.unix_path;
  }
  if (endpoint.host.empty()) {
    return "";
  }
  const bool is_v6 = endpoint.host.find(':') != std::string::npos;
  return fmt::format(fmt::runtime(is_v6 ? "[{}]:{}" : "{}:{}"), endpoint.host, endpoint.port);
}

std::optional<Problem> check_header_name(std::string_view name) {
  constexpr size_t kMax = 256;
  if (name.empty() || name.size() > kMax || !std::all_of(name.begin(), name.end(), is_tchar)) {
    return problem("E0126", fmt::format("{} is not a header field name", quoted(name)));
  }
  static constexpr std::array<std::string_view, 9> kFraming = {
      "connection",        "content-length", "keep-alive", "proxy-connection", "te", "trailer",
      "transfer-encoding", "upgrade",        "expect"};
  const std::string small = lower_case(name);
  if (small == "host") {
    return problem("E0128", "the field \"host\" cannot be edited here",
                   "see the route's key `preserve_host`");
  }
  if (std::find(kFraming.begin(), kFraming.end(), small) != kFraming.end()) {
    return problem(
        "E0128",
        fmt::format("the field {} belongs to one connection; the gateway sets it", quoted(name)));
  }
  return std::nullopt;
}

std::optional<Problem> check_header_value(std::string_view value) {
  constexpr size_t kMax = 8192;
  const bool has_control =
      std::any_of(value.begin(), value.end(), [](char c) { return is_control(c) && c != '\t'; });
  if (has_control) {
    return problem("E0127", "a control character or line break in a header value");
  }
  if (value.size() > kMax) {
    return problem("E0127", fmt::format("a header value of more than {} bytes", kMax));
  }
  if (value != trim(value)) {
    return problem("E0127", "a header value begins or ends with a blank");
  }
  return std::nullopt;
}

bool is_loopback(std::string_view bind) {
  const std::string_view host = split_port(bind).host;
  return host.rfind("127.", 0) == 0 || host == "[::1]" || host.rfind("[::ffff:127.", 0) == 0;
}

}  // namespace hangu::config
