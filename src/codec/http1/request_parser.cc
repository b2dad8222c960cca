#include "hangu/codec/http1/request_parser.h"

#include "hangu/http/host.h"
#include "hangu/http/text.h"

#include "codec/byte_scan.h"
#include "codec/http1/field_parser.h"

namespace hangu::codec::http1 {
namespace {

using http::BodyFraming;
using http::HeaderName;
using http::Method;
using http::RequestHead;
using http::Version;

constexpr std::string_view kEmptyLine = "\r\n";

/// `text` lies in the head, which is ours to write to.
void lower_case_in_place(std::string_view text) {
  for (const char& c : text) {
    if (c >= 'A' && c <= 'Z') {
      const_cast<char&>(c) = static_cast<char>(c | 0x20);
    }
  }
}

void split_target(std::string_view path_and_query, RequestHead& out) {
  const size_t mark = path_and_query.find('?');
  out.path = path_and_query.substr(0, mark);
  out.has_query = mark != std::string_view::npos;
  out.query = out.has_query ? path_and_query.substr(mark + 1) : std::string_view{};
}

Problem set_authority(std::string_view authority, RequestHead& out) {
  lower_case_in_place(authority);
  const auto parsed = http::parse_authority(authority);
  if (!parsed) {
    return {Errc::kBadHost, "the host is not valid"};
  }
  out.authority = authority;
  out.host = parsed->host;
  out.port = parsed->port;
  return {};
}

/// absolute-form (RFC 9112 §3.2.2). What follows the scheme is in `rest`.
Problem take_absolute_form(std::string_view rest, RequestHead& out) {
  const size_t end = rest.find_first_of("/?");
  const std::string_view authority = rest.substr(0, end);
  const std::string_view path_and_query =
      end == std::string_view::npos ? std::string_view{} : rest.substr(end);
  split_target(path_and_query, out);
  if (out.path.empty()) {
    out.path = out.method == Method::kOptions && !out.has_query ? "*" : "/";
  }
  return set_authority(authority, out);
}

Problem take_target(RequestHead& out) {
  const std::string_view target = out.target;
  if (out.method == Method::kConnect) {
    return set_authority(target, out);
  }
  if (target.front() == '/') {
    split_target(target, out);
    return {};
  }
  if (target == "*") {
    if (out.method != Method::kOptions) {
      return {Errc::kBadRequestLine, "target * with a method other than OPTIONS"};
    }
    out.path = target;
    return {};
  }
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (http::equals_ignore_case(target.substr(0, scheme.size()), scheme)) {
      return take_absolute_form(target.substr(scheme.size()), out);
    }
  }
  return {Errc::kBadRequestLine, "request target in no known form"};
}

/// RFC 9112 §3: method SP target SP version. `end` is where the line's CRLF stands.
Problem parse_request_line(const char* begin, const char* end, RequestHead& out) {
  const char* method_end = begin;
  while (method_end != end && http::is_token_char(*method_end)) {
    ++method_end;
  }
  if (method_end == begin || method_end == end || *method_end != ' ') {
    return {Errc::kBadRequestLine, "malformed method"};
  }
  out.method_text = std::string_view(begin, static_cast<size_t>(method_end - begin));
  out.method = http::method_from(out.method_text);
  const char* target = method_end + 1;
  const char* target_end = find_byte(target, end, EndsTarget{});
  if (target_end == target || target_end == end || *target_end != ' ') {
    return {Errc::kBadRequestLine, "malformed request target, or no version"};
  }
  out.target = std::string_view(target, static_cast<size_t>(target_end - target));
  const std::string_view version(target_end + 1, static_cast<size_t>(end - target_end - 1));
  if (version == "HTTP/1.1") {
    out.version = Version::kHttp11;
  } else if (version == "HTTP/1.0") {
    out.version = Version::kHttp10;
  } else if (version.empty() || version.find_first_of(" \t\r") != std::string_view::npos) {
    return {Errc::kBadRequestLine, "malformed request line"};
  } else {
    return {Errc::kBadVersion, "only HTTP/1.0 and HTTP/1.1 are spoken here"};
  }
  return {};
}

/// RFC 9112 §3.2: exactly one valid Host, the same as in an absolute target.
Problem check_host(const ControlFields& control, RequestHead& out) {
  if (!out.headers.contains(HeaderName::kHost)) {
    return out.version == Version::kHttp10 ? Problem{} : Problem{Errc::kBadHost, "no Host"};
  }
  if (out.authority.empty()) {
    return set_authority(control.host, out);
  }
  const std::string_view target_authority = out.authority;
  if (const Problem problem = set_authority(control.host, out)) {
    return problem;
  }
  return target_authority == out.authority
             ? Problem{}
             : Problem{Errc::kBadHost, "Host differs from the request target"};
}

/// RFC 9112 §6.3.
Problem set_framing(const ControlFields& control, RequestHead& out) {
  const bool has_length = out.headers.contains(HeaderName::kContentLength);
  if (!out.headers.contains(HeaderName::kTransferEncoding)) {
    out.framing = has_length ? BodyFraming::kLength : BodyFraming::kNone;
    out.content_length = control.content_length;
    return {};
  }
  if (out.version == Version::kHttp10) {
    return {Errc::kBadFraming, "Transfer-Encoding in HTTP/1.0"};
  }
  if (has_length) {
    return {Errc::kBadFraming, "Transfer-Encoding together with Content-Length"};
  }
  out.framing = BodyFraming::kChunked;
  return check_transfer_encoding(control.transfer_encoding);
}

void set_connection(const ControlFields& control, RequestHead& out) {
  const http::ConnectionOptions& connection = control.connection;
  const bool http11 = out.version == Version::kHttp11;
  out.keep_alive = !connection.close && (http11 || connection.keep_alive);
  out.expect_continue = http11 && out.headers.contains(HeaderName::kExpect);
  // A body would end where the new protocol begins: too delicate to pass on. RFC 9110 §7.8 lets us
  // ignore the wish.
  const bool has_body = out.framing == BodyFraming::kChunked || out.content_length != 0;
  out.upgrade = http11 && connection.upgrade && control.upgrades && !has_body;
}

Problem parse(std::string_view head, const Limits& limits, RequestHead& out) {
  if (head.size() < 2 * kEmptyLine.size() || !head.ends_with("\r\n\r\n")) {
    return {Errc::kBadRequestLine, "incomplete head"};
  }
  const char* const begin = head.data();
  const char* const fields_end = begin + head.size() - kEmptyLine.size();
  const char* const line_end = find_byte(begin, fields_end, IsByte<'\r'>{});
  if (line_end[1] != '\n') {
    return {Errc::kBadRequestLine, "bare carriage return in the request line"};
  }
  if (const Problem problem = parse_request_line(begin, line_end, out)) {
    return problem;
  }
  if (const Problem problem = take_target(out)) {
    return problem;
  }
  const FieldRules rules{.section = FieldRules::Section::kRequest,
                         .allow_underscore = limits.allow_underscore,
                         .count_max = limits.headers_count};
  ControlFields control;
  const char* const fields = line_end + kEmptyLine.size();
  const std::string_view lines(fields, static_cast<size_t>(fields_end - fields));
  if (const Problem problem = parse_fields(lines, rules, out.headers, control)) {
    return problem;
  }
  if (const Problem problem = check_host(control, out)) {
    return problem;
  }
  if (const Problem problem = set_framing(control, out)) {
    return problem;
  }
  set_connection(control, out);
  if (out.method == Method::kConnect) {
    return {Errc::kNotImplemented, "CONNECT is not for a gateway"};
  }
  return {};
}

}  // namespace

Result<void> parse_request_head(std::string_view head, const Limits& limits, RequestHead& out) {
  if (const Problem problem = parse(head, limits, out)) {
    return fail(downstream_error(problem.code, problem.detail));
  }
  return {};
}

}  // namespace hangu::codec::http1
