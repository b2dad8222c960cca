#include "codec/http1/field_parser.h"

#include "hangu/base/parse.h"
#include "hangu/http/text.h"

#include "codec/byte_scan.h"

namespace hangu::codec::http1 {
namespace {

using http::Header;
using http::HeaderName;
using http::HeaderNameSet;
using Section = FieldRules::Section;

constexpr HeaderNameSet kControl = http::header_name_set(
    HeaderName::kHost, HeaderName::kContentLength, HeaderName::kTransferEncoding,
    HeaderName::kConnection, HeaderName::kExpect, HeaderName::kUpgrade);

constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

/// Why `name`, the text up to the first colon or the end, is no field name.
Problem name_problem(std::string_view name, bool colon) {
  if (!name.empty() && is_blank(name.front())) {
    return {Errc::kBadHeader, "folded header line, or white space before a header name"};
  }
  if (name.find('\r') != std::string_view::npos || !colon) {
    return {Errc::kBadHeader, "header line without a colon"};
  }
  if (name.empty()) {
    return {Errc::kBadHeader, "header without a name"};
  }
  if (is_blank(name.back())) {
    return {Errc::kBadHeader, "white space between a header name and the colon"};
  }
  return {Errc::kBadHeader, "byte that is not allowed in a header name"};
}

Problem check_unknown_name(std::string_view name, bool allow_underscore) {
  if (!http::is_token(name) || name.size() > UINT16_MAX) {
    return name_problem(name, true);
  }
  if (!allow_underscore && name.find('_') != std::string_view::npos) {
    return {Errc::kBadHeader, "underscore in a header name"};
  }
  return {};
}

/// Why a value ends with `c` and not with CRLF.
Problem value_problem(char c) {
  switch (c) {
    case '\r': return {Errc::kBadHeader, "bare carriage return in a header"};
    case '\n': return {Errc::kBadHeader, "bare line feed in a header"};
    case '\0': return {Errc::kBadHeader, "NUL byte in a header"};
    default: return {Errc::kBadHeader, "control byte in a header"};
  }
}

/// Protocols that a gateway must not tunnel: HTTP itself would pass its rules by, TLS its eyes.
bool is_tunnelled(std::string_view protocols) {
  while (!protocols.empty()) {
    const std::string_view element = http::next_list_element(protocols);
    const std::string_view name = element.substr(0, element.find('/'));
    if (name.empty() || http::equals_ignore_case(name, "h2c") ||
        http::equals_ignore_case(name, "h2") || http::equals_ignore_case(name, "http") ||
        http::equals_ignore_case(name, "tls")) {
      return false;
    }
  }
  return true;
}

Problem take_content_length(std::string_view value, bool repeated, ControlFields& control) {
  if (repeated) {
    return {Errc::kBadFraming, "more than one Content-Length"};
  }
  const auto length = parse_decimal(value, INT64_MAX);
  if (!length) {
    return {Errc::kBadFraming, "Content-Length is not one number"};
  }
  control.content_length = *length;
  return {};
}

/// `repeated`: the message has a field of that name already.
Problem take_control(HeaderName token, std::string_view value, Section section, bool repeated,
                     ControlFields& control) {
  switch (token) {
    case HeaderName::kHost:
      if (repeated) {
        return {Errc::kBadHost, "more than one Host"};
      }
      control.host = value;
      return {};
    case HeaderName::kContentLength: return take_content_length(value, repeated, control);
    case HeaderName::kTransferEncoding:
      if (repeated) {
        return {Errc::kBadFraming, "more than one Transfer-Encoding"};
      }
      control.transfer_encoding = value;
      return {};
    case HeaderName::kConnection:
      if (!http::parse_connection(value, section == Section::kResponse, control.connection)) {
        return {Errc::kBadHeader, "Connection is malformed or names an end-to-end field"};
      }
      return {};
    case HeaderName::kExpect:
      if (section == Section::kRequest && !http::equals_ignore_case(value, "100-continue")) {
        return {Errc::kExpectationFailed, "only Expect: 100-continue is understood"};
      }
      return {};
    case HeaderName::kUpgrade:
      control.upgrades = !repeated && !value.empty() && is_tunnelled(value);
      return {};
    default: return {};
  }
}

}  // namespace

Problem parse_fields(std::string_view lines, const FieldRules& rules, http::HeaderBlock& headers,
                     ControlFields& control) {
  const char* at = lines.data();
  const char* const end = at + lines.size();
  const HeaderNameSet watched = rules.section == Section::kTrailer ? 0 : kControl;
  while (at != end) {
    const char* colon = find_byte(at, end, IsByte<':'>{});
    const std::string_view name(at, static_cast<size_t>(colon - at));
    if (colon == end || name.empty()) {
      return name_problem(name, colon != end);
    }
    const HeaderName token = http::header_name_from(name);
    if (token == HeaderName::kOther) {
      if (const Problem problem = check_unknown_name(name, rules.allow_underscore)) {
        return problem;
      }
    }
    const char* value = colon + 1;
    while (value != end && is_blank(*value)) {
      ++value;
    }
    const char* cr = find_byte(value, end, EndsValue{});
    if (cr == end || *cr != '\r' || cr + 1 == end || cr[1] != '\n') {
      return value_problem(cr == end ? '\r' : *cr);
    }
    const char* value_end = cr;
    while (value_end != value && is_blank(value_end[-1])) {
      --value_end;
    }
    const Header header{.name_data = at,
                        .value_data = value,
                        .value_size = static_cast<uint32_t>(value_end - value),
                        .name_size = static_cast<uint16_t>(name.size()),
                        .token = token,
                        .flags = value == colon + 2 && colon[1] == ' ' && value_end == cr
                                     ? Header::kLine
                                     : uint8_t{0}};
    if ((http::bit_of(token) & watched) != 0) {
      if (const Problem problem = take_control(token, header.value(), rules.section,
                                               headers.contains(token), control)) {
        return problem;
      }
    }
    if (headers.size() >= rules.count_max || !headers.append(header)) {
      return {Errc::kHeadersTooLarge, "too many header fields"};
    }
    at = cr + 2;
  }
  return {};
}

Problem check_transfer_encoding(std::string_view value) {
  if (http::equals_ignore_case(value, "chunked")) {
    return {};
  }
  bool chunked = false;
  bool others = false;
  do {
    const bool more = value.find(',') != std::string_view::npos;
    const std::string_view coding = http::next_list_element(value);
    if (chunked || !http::is_token(coding) || (more && value.empty())) {
      return {Errc::kBadFraming, "malformed Transfer-Encoding, or chunked is not last"};
    }
    chunked = http::equals_ignore_case(coding, "chunked");
    others = others || !chunked;
  } while (!value.empty());
  return others ? Problem{Errc::kNotImplemented, "transfer coding other than chunked"}
                : Problem{Errc::kBadFraming, "malformed Transfer-Encoding"};
}

}  // namespace hangu::codec::http1
