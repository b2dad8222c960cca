#include "hangu/codec/http2/field_section.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "hangu/base/parse.h"
#include "hangu/http/host.h"
#include "hangu/http/text.h"
#include "hangu/http/trailers.h"

#include "codec/byte_scan.h"

namespace hangu::codec::http2 {
namespace {

using http::BodyFraming;
using http::HeaderName;
using http::Method;

// RFC 9113 §8.2.2: they speak of a connection of HTTP/1.
constexpr http::HeaderNameSet kConnectionSpecific = http::header_name_set(
    HeaderName::kConnection, HeaderName::kKeepAlive, HeaderName::kProxyConnection,
    HeaderName::kTransferEncoding, HeaderName::kUpgrade);

constexpr http::HeaderNameSet kControl = http::header_name_set(
    HeaderName::kHost, HeaderName::kContentLength, HeaderName::kTe, HeaderName::kExpect);

constexpr std::array<std::string_view, 6> kPseudoNames = {":method", ":scheme",   ":authority",
                                                          ":path",   ":protocol", ":status"};

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= UINT16_MAX &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return http::is_token_char(c) && http::to_lower(c) == c; });
}

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

/// §8.2.1: nothing that could end a line, and no white space at the ends.
bool is_value(std::string_view value) {
  const char* const end = value.data() + value.size();
  return find_byte(value.data(), end, EndsValue{}) == end &&
         (value.empty() || (!is_blank(value.front()) && !is_blank(value.back())));
}

std::string_view lower_case(std::string_view text, buffer::Arena& arena) {
  char* const to = arena.allocate(text.size(), 1);
  std::transform(text.begin(), text.end(), to, http::to_lower);
  return {to, text.size()};
}

}  // namespace

void FieldSection::begin(Kind kind, http::HeaderBlock& fields, buffer::Arena& arena,
                         const FieldLimits& limits) noexcept {
  *this = FieldSection();
  kind_ = kind;
  fields_ = &fields;
  arena_ = &arena;
  limits_ = limits;
}

void FieldSection::begin_discarded() noexcept {
  *this = FieldSection();
  refuse(Errc::kInternal, "nobody wants this section");
}

void FieldSection::refuse(Errc code, const char* detail) {
  if (problem_.code == Errc::kNone) {
    problem_ = downstream_error(code, detail);
  }
}

void FieldSection::refuse_malformed(const char* detail, Errc code) {
  if (problem_.code == Errc::kNone) {
    malformed_ = true;
    problem_ = downstream_error(code, detail);
  }
}

Result<void> FieldSection::result(Side side) const {
  if (problem_.code == Errc::kNone) {
    return {};
  }
  Error error = problem_;
  error.side = side;
  return fail(error);
}

// --- fields -----------------------------------------------------------------------------------

void FieldSection::on_field(std::string_view name, std::string_view value) noexcept {
  if (problem_.code != Errc::kNone) {
    return;
  }
  list_bytes_ += name.size() + value.size() + kFieldOverhead;
  if (list_bytes_ > limits_.list_bytes || name.size() + value.size() > limits_.line_bytes) {
    refuse(Errc::kHeadersTooLarge, "header fields too large");
  } else if (!name.empty() && name.front() == ':') {
    take_pseudo(name, value);
  } else {
    take_regular(name, value);
  }
}

void FieldSection::take_pseudo(std::string_view name, std::string_view value) {
  const auto found = std::find(kPseudoNames.begin(), kPseudoNames.end(), name);
  const auto which = static_cast<Pseudo>(found - kPseudoNames.begin());
  const bool for_response = which == Pseudo::kStatus;
  if (found == kPseudoNames.end() || kind_ == Kind::kTrailers ||
      for_response != (kind_ == Kind::kResponse)) {
    refuse_malformed("a pseudo-header field that does not belong here");
  } else if (regular_seen_) {
    refuse_malformed("a pseudo-header field behind a regular one");
  } else if (has(which)) {
    refuse_malformed("a pseudo-header field twice");
  } else if (!is_value(value)) {
    refuse_malformed("byte that is not allowed in a pseudo-header field");
  } else if (which == Pseudo::kPath && value.size() > limits_.target_bytes) {
    refuse(Errc::kUriTooLong, "request target too long");
  } else {
    seen_ = static_cast<uint8_t>(seen_ | (1U << static_cast<unsigned>(which)));
    pseudo(which) = arena_->copy(value);
  }
}

void FieldSection::take_regular(std::string_view name, std::string_view value) {
  regular_seen_ = true;
  if (!is_name(name)) {
    refuse_malformed("byte that is not allowed in a header name");
    return;
  }
  if (!is_value(value)) {
    refuse_malformed("byte that is not allowed in a header value, or white space around it");
    return;
  }
  const HeaderName token = http::header_name_from(name);
  if ((http::bit_of(token) & kConnectionSpecific) != 0) {
    refuse_malformed("a header of HTTP/1.1 connections in HTTP/2");
    return;
  }
  if (token == HeaderName::kOther && kind_ != Kind::kResponse && !limits_.allow_underscore &&
      name.find('_') != std::string_view::npos) {
    refuse(Errc::kBadHeader, "underscore in a header name");
    return;
  }
  if (kind_ != Kind::kTrailers && (http::bit_of(token) & kControl) != 0) {
    take_control(token, value);
  }
  if (fields_->size() >= limits_.count) {
    refuse(Errc::kHeadersTooLarge, "too many header fields");
  }
  if (problem_.code == Errc::kNone) {
    store(token, name, value);
  }
}

void FieldSection::take_control(HeaderName token, std::string_view value) {
  const bool repeated = fields_->contains(token);
  switch (token) {
    case HeaderName::kHost:
      if (repeated) {
        refuse(Errc::kBadHost, "more than one Host");
      }
      break;
    case HeaderName::kContentLength:
      if (repeated) {
        refuse_malformed("more than one Content-Length", Errc::kBadFraming);
      } else {
        take_content_length(value);
      }
      break;
    case HeaderName::kTe:
      if (kind_ == Kind::kRequest && !http::equals_ignore_case(value, "trailers")) {
        refuse_malformed("TE with anything but trailers");
      }
      break;
    case HeaderName::kExpect:
      if (kind_ == Kind::kRequest && !http::equals_ignore_case(value, "100-continue")) {
        refuse(Errc::kExpectationFailed, "only Expect: 100-continue is understood");
      }
      break;
    default: break;
  }
}

void FieldSection::take_content_length(std::string_view value) {
  if (const auto length = parse_decimal(value, INT64_MAX)) {
    content_length_ = *length;
  } else {
    refuse_malformed("Content-Length is not one number", Errc::kBadFraming);
  }
}

/// As the line that it is in HTTP/1.1, so that it can go there without being put together again.
void FieldSection::store(HeaderName token, std::string_view name, std::string_view value) {
  char* const line = arena_->allocate(name.size() + value.size() + 4, 1);
  char* to = std::copy(name.begin(), name.end(), line);
  *to++ = ':';
  *to++ = ' ';
  char* const stored = to;
  to = std::copy(value.begin(), value.end(), to);
  *to++ = '\r';
  *to = '\n';
  cookies_ = static_cast<uint16_t>(cookies_ + (token == HeaderName::kCookie ? 1 : 0));
  if (!fields_->append({.name_data = line,
                        .value_data = stored,
                        .value_size = static_cast<uint32_t>(value.size()),
                        .name_size = static_cast<uint16_t>(name.size()),
                        .token = token,
                        .flags = http::Header::kLine})) {
    refuse(Errc::kHeadersTooLarge, "too many header fields");
  }
}

/// §8.2.3: a Cookie may come in crumbs; everybody else knows one field. Empty crumbs say nothing.
void FieldSection::join_cookies() {
  if (cookies_ < 2) {
    return;
  }
  size_t size_max = 0;
  for (const http::Header& header : *fields_) {
    size_max += header.token == HeaderName::kCookie ? header.value_size + 2 : 0;
  }
  char* const joined = arena_->allocate(size_max, 1);
  char* to = joined;
  for (const http::Header& header : *fields_) {
    if (header.token != HeaderName::kCookie || header.value_size == 0) {
      continue;
    }
    if (to != joined) {
      *to++ = ';';
      *to++ = ' ';
    }
    to = std::copy_n(header.value_data, header.value_size, to);
  }
  const std::string_view value(joined, static_cast<size_t>(to - joined));
  static_cast<void>(fields_->set(HeaderName::kCookie, value));
}

// --- requests ---------------------------------------------------------------------------------

Result<void> FieldSection::finish_request(http::RequestHead& out, bool end_stream) noexcept {
  out.version = http::Version::kHttp2;
  out.keep_alive = true;
  take_method(out);
  take_target(out);
  take_authority(out);
  if (problem_.code != Errc::kNone || !check_request_pseudo()) {
    return result(Side::kDownstream);
  }
  join_cookies();
  set_request_framing(out, end_stream);
  out.expect_continue = fields_->contains(HeaderName::kExpect);
  if (out.method == Method::kConnect) {
    if (has(Pseudo::kProtocol)) {
      turn_into_upgrade(out);
    } else {
      refuse(Errc::kNotImplemented, "CONNECT is not for a gateway");
    }
  }
  return result(Side::kDownstream);
}

/// §8.3.1, RFC 8441 §4.
bool FieldSection::check_request_pseudo() {
  const bool connect = pseudo(Pseudo::kMethod) == "CONNECT";
  if (!has(Pseudo::kMethod)) {
    refuse_malformed("no :method", Errc::kBadRequestLine);
  } else if (has(Pseudo::kProtocol) && !connect) {
    refuse_malformed(":protocol with a method other than CONNECT", Errc::kBadRequestLine);
  } else if (connect && !has(Pseudo::kProtocol)) {
    if (has(Pseudo::kScheme) || has(Pseudo::kPath)) {
      refuse_malformed("CONNECT with :scheme or :path", Errc::kBadRequestLine);
    }
  } else if (!has(Pseudo::kScheme) || !has(Pseudo::kPath)) {
    refuse_malformed("no :scheme or no :path", Errc::kBadRequestLine);
  } else if (!http::equals_ignore_case(pseudo(Pseudo::kScheme), "http") &&
             !http::equals_ignore_case(pseudo(Pseudo::kScheme), "https")) {
    refuse(Errc::kBadRequestLine, "a :scheme other than http and https");
  }
  return problem_.code == Errc::kNone;
}

void FieldSection::take_method(http::RequestHead& out) {
  const std::string_view method = pseudo(Pseudo::kMethod);
  if (has(Pseudo::kMethod) && !http::is_token(method)) {
    refuse_malformed("malformed method", Errc::kBadRequestLine);
  }
  out.method_text = method;
  out.method = http::method_from(method);
}

void FieldSection::take_target(http::RequestHead& out) {
  const std::string_view target = pseudo(Pseudo::kPath);
  if (!has(Pseudo::kPath)) {
    return;
  }
  const char* const end = target.data() + target.size();
  const bool asterisk = target == "*" && out.method == Method::kOptions;
  if ((!target.starts_with('/') && !asterisk) ||
      find_byte(target.data(), end, EndsTarget{}) != end) {
    refuse_malformed("malformed request target", Errc::kBadRequestLine);
    return;
  }
  out.target = target;
  const size_t mark = target.find('?');
  out.path = target.substr(0, mark);
  out.has_query = mark != std::string_view::npos;
  out.query = out.has_query ? target.substr(mark + 1) : std::string_view{};
}

/// :authority and Host say the same, or only one of them is there.
void FieldSection::take_authority(http::RequestHead& out) {
  std::string_view authority = pseudo(Pseudo::kAuthority);
  const std::string_view host = fields_->value(HeaderName::kHost);
  if (!has(Pseudo::kAuthority)) {
    authority = host;
  } else if (fields_->contains(HeaderName::kHost) && !http::equals_ignore_case(authority, host)) {
    refuse(Errc::kBadHost, "Host differs from :authority");
    return;
  }
  authority = lower_case(authority, *arena_);
  const auto parsed = http::parse_authority(authority);
  if (!parsed) {
    refuse(Errc::kBadHost, authority.empty() ? "no :authority" : "the host is not valid");
    return;
  }
  out.authority = authority;
  out.host = parsed->host;
  out.port = parsed->port;
  if (!fields_->set(HeaderName::kHost, authority)) {
    refuse(Errc::kHeadersTooLarge, "too many header fields");
  }
}

void FieldSection::set_request_framing(http::RequestHead& out, bool end_stream) {
  const bool has_length = fields_->contains(HeaderName::kContentLength);
  if (end_stream) {
    if (content_length_ != 0) {
      refuse_malformed("Content-Length of a request without a body", Errc::kBadFraming);
    }
    out.framing = has_length ? BodyFraming::kLength : BodyFraming::kNone;
    out.content_length = 0;
    return;
  }
  out.framing = has_length ? BodyFraming::kLength : BodyFraming::kChunked;
  out.content_length = content_length_;
}

/// RFC 8441: an extended CONNECT is the same wish as HTTP/1.1's Upgrade, and takes its form, which
/// routes, filters and upstreams know. The session adds what only the handshake of RFC 6455 needs.
void FieldSection::turn_into_upgrade(http::RequestHead& out) {
  if (!http::equals_ignore_case(pseudo(Pseudo::kProtocol), "websocket")) {
    refuse(Errc::kNotImplemented, "a :protocol other than websocket");
    return;
  }
  if (fields_->contains(HeaderName::kContentLength)) {
    refuse_malformed("Content-Length in an extended CONNECT", Errc::kBadFraming);
    return;
  }
  out.method = Method::kGet;
  out.method_text = "GET";
  out.framing = BodyFraming::kNone;
  out.upgrade = true;
  if (!fields_->add(HeaderName::kUpgrade, "websocket")) {
    refuse(Errc::kHeadersTooLarge, "too many header fields");
  }
}

// --- responses and trailers -------------------------------------------------------------------

Result<void> FieldSection::finish_response(http::ResponseHead& out, Method request_method,
                                           bool end_stream) noexcept {
  out.version = http::Version::kHttp2;
  out.keep_alive = true;
  const auto status = parse_decimal(pseudo(Pseudo::kStatus), 599);
  if (problem_.code == Errc::kNone &&
      (!status || *status < 100 || pseudo(Pseudo::kStatus).size() != 3)) {
    refuse_malformed("no :status, or a bad one", Errc::kBadStatusLine);
  }
  if (problem_.code != Errc::kNone) {
    return result(Side::kUpstream);
  }
  out.status = static_cast<int>(*status);
  out.reason = http::reason_phrase(out.status);
  const bool has_length = fields_->contains(HeaderName::kContentLength);
  const bool informational = out.status < 200;
  const bool bodiless =
      request_method == Method::kHead || informational || out.status == 204 || out.status == 304;
  if (out.status == 101 || (informational && (end_stream || has_length))) {
    refuse_malformed("an interim response that HTTP/2 does not have", Errc::kBadStatusLine);
  } else if (bodiless) {
    out.framing = BodyFraming::kNone;
  } else if (end_stream) {
    if (content_length_ != 0) {
      refuse_malformed("Content-Length of a response without a body", Errc::kBadFraming);
    }
    out.framing = BodyFraming::kLength;
  } else {
    out.framing = has_length ? BodyFraming::kLength : BodyFraming::kChunked;
    out.content_length = content_length_;
  }
  return result(Side::kUpstream);
}

Result<void> FieldSection::finish_trailers() noexcept {
  if (problem_.code == Errc::kNone) {
    fields_->remove_any(http::kNotInTrailers);
  }
  return result(Side::kDownstream);
}

}  // namespace hangu::codec::http2
