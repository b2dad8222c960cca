#include "hangu/codec/http1/response_parser.h"

#include "hangu/http/text.h"

#include "codec/byte_scan.h"
#include "codec/http1/field_parser.h"

namespace hangu::codec::http1 {
namespace {

using http::BodyFraming;
using http::HeaderName;
using http::ResponseHead;
using http::Version;

constexpr std::string_view kEmptyLine = "\r\n";

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// RFC 9112 §4: version SP 3DIGIT [SP reason].
Problem parse_status_line(std::string_view line, ResponseHead& out) {
  constexpr size_t kVersionBytes = 8;
  constexpr size_t kBytesMin = kVersionBytes + 4;
  if (line.starts_with("HTTP/1.1 ")) {
    out.version = Version::kHttp11;
  } else if (line.starts_with("HTTP/1.0 ")) {
    out.version = Version::kHttp10;
  } else {
    return {Errc::kBadVersion, "the upstream speaks neither HTTP/1.0 nor HTTP/1.1"};
  }
  const std::string_view code = line.substr(kVersionBytes + 1, 3);
  if (line.size() < kBytesMin || !is_digit(code[0]) || !is_digit(code[1]) || !is_digit(code[2]) ||
      code[0] == '0' || code[0] > '5') {
    return {Errc::kBadStatusLine, "bad status code"};
  }
  out.status = (code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0');
  if (line.size() > kBytesMin) {
    out.reason = line.substr(kBytesMin + 1);
    if (line[kBytesMin] != ' ' || !http::is_field_value(out.reason)) {
      return {Errc::kBadStatusLine, "malformed status line"};
    }
  }
  return {};
}

/// What the framing fields say, whether or not the message has a body.
Problem check_framing_fields(const ControlFields& control, const ResponseHead& out) {
  const bool has_length = out.headers.contains(HeaderName::kContentLength);
  const bool has_coding = out.headers.contains(HeaderName::kTransferEncoding);
  if (has_coding && out.version == Version::kHttp10) {
    return {Errc::kBadFraming, "Transfer-Encoding in HTTP/1.0"};
  }
  if (has_coding && has_length) {
    return {Errc::kBadFraming, "Transfer-Encoding together with Content-Length"};
  }
  if ((has_coding || has_length) && out.status < 200) {
    return {Errc::kBadFraming, "framing fields in a 1xx response"};
  }
  return has_coding ? check_transfer_encoding(control.transfer_encoding) : Problem{};
}

/// RFC 9112 §6.3.
void set_framing(const ControlFields& control, http::Method request_method, ResponseHead& out) {
  if (request_method == http::Method::kHead || out.status < 200 || out.status == 204 ||
      out.status == 304) {
    out.framing = BodyFraming::kNone;
  } else if (out.headers.contains(HeaderName::kTransferEncoding)) {
    out.framing = BodyFraming::kChunked;
  } else if (out.headers.contains(HeaderName::kContentLength)) {
    out.framing = BodyFraming::kLength;
    out.content_length = control.content_length;
  } else {
    out.framing = BodyFraming::kUntilClose;
  }
}

Problem set_connection(const ControlFields& control, ResponseHead& out) {
  if (out.status == 101) {
    if (out.version != Version::kHttp11 || !out.headers.contains(HeaderName::kUpgrade)) {
      return {Errc::kBadHeader, "101 that does not say which protocol follows"};
    }
    out.upgrade = true;
    return {};
  }
  // Some servers send a body with 204 after all: it must not be taken for the next response.
  const bool unframed_body =
      out.status == 204 &&
      (out.headers.contains(HeaderName::kTransferEncoding) || control.content_length != 0);
  out.keep_alive = !control.connection.close &&
                   (out.version == Version::kHttp11 || control.connection.keep_alive) &&
                   out.framing != BodyFraming::kUntilClose && !unframed_body;
  return {};
}

Problem parse(std::string_view head, http::Method request_method, const Limits& limits,
              ResponseHead& out) {
  if (head.size() < 2 * kEmptyLine.size() || !head.ends_with("\r\n\r\n")) {
    return {Errc::kBadStatusLine, "incomplete head"};
  }
  const char* const begin = head.data();
  const char* const fields_end = begin + head.size() - kEmptyLine.size();
  const char* const line_end = find_byte(begin, fields_end, IsByte<'\r'>{});
  if (line_end[1] != '\n') {
    return {Errc::kBadStatusLine, "bare carriage return in the status line"};
  }
  const std::string_view line(begin, static_cast<size_t>(line_end - begin));
  if (const Problem problem = parse_status_line(line, out)) {
    return problem;
  }
  const FieldRules rules{.section = FieldRules::Section::kResponse,
                         .count_max = limits.headers_count};
  ControlFields control;
  const char* const fields = line_end + kEmptyLine.size();
  const std::string_view lines(fields, static_cast<size_t>(fields_end - fields));
  if (const Problem problem = parse_fields(lines, rules, out.headers, control)) {
    return problem;
  }
  if (const Problem problem = check_framing_fields(control, out)) {
    return problem;
  }
  set_framing(control, request_method, out);
  return set_connection(control, out);
}

}  // namespace

Result<void> parse_response_head(std::string_view head, http::Method request_method,
                                 const Limits& limits, ResponseHead& out) {
  if (const Problem problem = parse(head, request_method, limits, out)) {
    return fail(upstream_error(problem.code, problem.detail));
  }
  return {};
}

}  // namespace hangu::codec::http1
