#include "hangu/filter/signature_base.h"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "hangu/base/letter_case.h"
#include "hangu/base/parse.h"
#include "hangu/http/text.h"

namespace hangu::filter {
namespace {

using http::RequestHead;

// Bits: what of a request's target and method a name stands for.
constexpr unsigned kMethod = 1;
constexpr unsigned kScheme = 2;
constexpr unsigned kAuthority = 4;
constexpr unsigned kPath = 8;
constexpr unsigned kQuery = 16;

struct Derived {
  std::string_view name;
  unsigned bits;
};

constexpr std::array<Derived, 9> kDerived = {{
    {"@method", kMethod},
    {"@scheme", kScheme},
    {"@authority", kAuthority},
    {"host", kAuthority},
    {"@path", kPath},
    {"@query", kQuery},
    {"@request-target", kPath | kQuery},
    {"@target-uri", kScheme | kAuthority | kPath | kQuery},
    {"(request-target)", kMethod | kPath | kQuery},  // of the older draft: begins with the method
}};

unsigned bits_of(std::string_view name) {
  const auto* const found = std::find_if(kDerived.begin(), kDerived.end(),
                                         [&](const Derived& one) { return one.name == name; });
  return found != kDerived.end() ? found->bits : 0;
}

/// The target without its query, as it was sent (RFC 9421 §2.2.6).
std::string_view raw_path(const RequestHead& request) {
  std::string_view target = request.target;
  if (const size_t scheme = target.find("://");
      !target.starts_with('/') && scheme != std::string_view::npos) {
    const size_t slash = target.find_first_of("/?", scheme + 3);
    target = slash == std::string_view::npos ? "/" : target.substr(slash);
  }
  const std::string_view path = target.substr(0, target.find('?'));
  return path.empty() ? "/" : path;
}

/// Without the port that the scheme has anyway.
std::string_view normal_authority(const SignedMessage& message) {
  std::string_view authority = message.request.authority;
  const std::string_view port = message.secure ? ":443" : ":80";
  if (authority.ends_with(port)) {
    authority.remove_suffix(port.size());
  }
  return authority;
}

/// As a form would be decoded: "+" is a space. False: a bad escape.
bool decode_form(std::string_view text, std::string& out) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const int high = i + 2 < text.size() ? hex_digit_value(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit_value(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        return false;
      }
      out.push_back(static_cast<char>(high << 4 | low));
      i += 2;
    } else {
      out.push_back(text[i] == '+' ? ' ' : text[i]);
    }
  }
  return true;
}

void encode_form(std::string_view text, std::string& out) {
  for (const char c : text) {
    if (http::is_alnum(c) || c == '*' || c == '-' || c == '.' || c == '_') {
      out.push_back(c);
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
}

/// Decoded and encoded again, so that there is one way to write it (RFC 9421 §2.2.8).
std::optional<std::string> same_form(std::string_view text) {
  std::string decoded;
  if (!decode_form(text, decoded)) {
    return std::nullopt;
  }
  std::string encoded;
  encode_form(decoded, encoded);
  return encoded;
}

/// False: it is not there, or more than once.
bool write_query_parameter(std::string_view query, std::string_view name, std::string& out) {
  std::optional<std::string> found;
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const size_t equals = std::min(pair.find('='), pair.size());
    const auto key = same_form(pair.substr(0, equals));
    if (!key || *key != name) {
      continue;
    }
    if (found) {
      return false;
    }
    found = same_form(pair.substr(std::min(equals + 1, pair.size())));
    if (!found) {
      return false;
    }
  }
  if (found) {
    out += *found;
  }
  return found.has_value();
}

/// Appends the fields of that name as one value; false: there is none.
bool write_field(const RequestHead& request, std::string_view name, std::string& out) {
  const http::HeaderName token = http::header_name_from(name);
  // A Host that is not what the request is for (there is a whole URI in front of it) says nothing.
  if (token == http::HeaderName::kHost &&
      !http::equals_ignore_case(request.headers.value(token), request.authority)) {
    return false;
  }
  bool any = false;
  for (const http::Header& header : request.headers) {
    if (header.token == token && http::equals_ignore_case(header.name(), name)) {
      out.append(any ? ", " : "").append(http::trim_ows(header.value()));
      any = true;
    }
  }
  return any;
}

void write_query(const RequestHead& request, std::string& out) {
  if (request.has_query) {
    out.append("?").append(request.query);
  }
}

/// The value of what is derived from the message, or of a field.
bool write_component(const SignedMessage& message, const identity::SignedComponent& component,
                     std::string& out) {
  const RequestHead& request = message.request;
  const std::string_view name = component.name;
  if (name == "@method") {
    out += request.method_text;
  } else if (name == "@scheme") {
    out += message.secure ? "https" : "http";
  } else if (name == "@authority") {
    out += normal_authority(message);
  } else if (name == "@path") {
    out += raw_path(request);
  } else if (name == "@query") {
    out.append("?").append(request.query);
  } else if (name == "@request-target") {
    out += request.target;
  } else if (name == "@target-uri") {
    out.append(message.secure ? "https://" : "http://").append(normal_authority(message));
    out += raw_path(request);
    write_query(request, out);
  } else if (name == "@query-param") {
    return write_query_parameter(request.query, component.parameter, out);
  } else {
    return write_field(request, name, out);
  }
  return true;
}

/// A line of the older draft; false: there is nothing of that name.
bool write_draft_line(const SignedMessage& message,
                      const identity::SignatureCredentials& credentials, std::string_view name,
                      bool apisix, std::string& out) {
  const RequestHead& request = message.request;
  const auto time = [&](const std::optional<int64_t>& value) {
    out += value ? fmt::format("{}: {}", name, *value) : "";
    return value.has_value();
  };
  if (name == "(created)") {
    return time(credentials.created);
  }
  if (name == "(expires)") {
    return time(credentials.expires);
  }
  if (name == "request-line") {
    out += fmt::format("{} {} HTTP/1.1", request.method_text, request.target);
    return true;
  }
  if (name == "@request-target" && apisix) {
    out += fmt::format("{} {}", request.method_text, request.target);
    return true;
  }
  if (name == "(request-target)" || name == "@request-target") {
    out += fmt::format("{}: {} {}", name, lower_case(request.method_text), request.target);
    return true;
  }
  out.append(name).append(": ");
  return write_field(request, name, out);
}

void write_sorted_query(std::string_view query, std::string& out) {
  std::vector<std::string_view> pairs;
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    pairs.push_back(query.substr(0, end));
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  std::sort(pairs.begin(), pairs.end());
  for (size_t i = 0; i < pairs.size(); ++i) {
    out.append(i == 0 ? "" : "&").append(pairs[i]);
  }
}

}  // namespace

std::optional<std::string_view> combined_field(const RequestHead& request, std::string_view name,
                                               std::string& room) {
  room.clear();
  return write_field(request, name, room) ? std::optional(std::string_view(room)) : std::nullopt;
}

bool write_signature_base(const SignedMessage& message, const identity::SignatureInput& input,
                          std::string& out) {
  for (const identity::SignedComponent& component : input.components()) {
    out.append("\"").append(component.name).append("\"").append(component.parameters);
    out += ": ";
    if (!write_component(message, component, out)) {
      return false;
    }
    out += '\n';
  }
  out.append("\"@signature-params\": ").append(input.text);
  return true;
}

bool write_signing_string(const SignedMessage& message,
                          const identity::SignatureCredentials& credentials,
                          config::SignatureProfile profile, std::string& out) {
  const bool apisix = profile == config::SignatureProfile::kApisix;
  if (apisix) {
    out.append(credentials.key_id).append("\n");
  }
  bool first = true;
  for (std::string_view rest = credentials.headers; !rest.empty();) {
    const size_t end = std::min(rest.find(' '), rest.size());
    const std::string_view name = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (name.empty()) {
      return false;
    }
    out.append(first || apisix ? "" : "\n");
    first = false;
    if (!write_draft_line(message, credentials, name, apisix, out)) {
      return false;
    }
    out.append(apisix ? "\n" : "");
  }
  return !first;
}

bool write_canonical(const SignedMessage& message, const config::SigningTemplate& canonical,
                     const SchemeValues& values, std::string& out) {
  using config::SignedPart;
  const RequestHead& request = message.request;
  for (const config::SigningTemplate::Piece& piece : canonical.pieces) {
    switch (piece.part) {
      case SignedPart::kText: out += piece.text; break;
      case SignedPart::kMethod: out += request.method_text; break;
      case SignedPart::kPath: out += raw_path(request); break;
      case SignedPart::kQuery: out += request.query; break;
      case SignedPart::kSortedQuery: write_sorted_query(request.query, out); break;
      case SignedPart::kHost: out += request.authority; break;
      case SignedPart::kHeader: static_cast<void>(write_field(request, piece.text, out)); break;
      case SignedPart::kKeyId: out += values.key_id; break;
      case SignedPart::kTimestamp: out += values.timestamp; break;
      case SignedPart::kNonce: out += values.nonce; break;
      case SignedPart::kBodyDigest: out += values.body_digest; break;
    }
  }
  return true;
}

bool covers(std::span<const std::string_view> names, std::string_view wanted) noexcept {
  if (std::find(names.begin(), names.end(), wanted) != names.end()) {
    return true;
  }
  unsigned covered = 0;
  for (const std::string_view name : names) {
    covered |= bits_of(name);
  }
  const unsigned bits = bits_of(wanted);
  return bits != 0 && (covered & bits) == bits;
}

}  // namespace hangu::filter
