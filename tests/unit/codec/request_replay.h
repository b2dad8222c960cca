// What becomes of a request head however it is cut, as text. Tests only.
#pragma once

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "hangu/codec/http1/request_parser.h"

#include "tests/unit/codec/replay.h"

namespace hangu::codec::http1::test {

/// "GET /path?query 1.1 authority, none, keep-alive"
inline std::string describe(const http::RequestHead& head) {
  std::string text(head.method_text);
  text.append(" ").append(head.path);
  if (head.has_query) {
    text.append("?").append(head.query);
  }
  text.append(head.version == http::Version::kHttp11 ? " 1.1 " : " 1.0 ").append(head.authority);
  text.append(", ").append(describe(head.framing, head.content_length));
  text.append(head.keep_alive ? ", keep-alive" : ", close");
  text.append(head.expect_continue ? ", expect" : "").append(head.upgrade ? ", upgrade" : "");
  return text;
}

/// The request as above, and "+" with what is behind the head; or "bad_header (why)"; or "need
/// more".
inline std::string replay_request(std::string_view input, const Limits& limits = {}) {
  return replay(input, [&limits](const Cuts& cuts) {
    Memory memory;
    HeadReader reader(HeadScanner::Kind::kRequest, limits);
    return read_head(cuts, Side::kDownstream, reader, memory.arena(), [&](std::string_view head) {
      http::RequestHead request;
      request.reset(memory.arena());
      const auto parsed = parse_request_head(head, limits, request);
      return parsed ? describe(request) : describe(parsed.error(), Side::kDownstream);
    });
  });
}

/// A POST with a good Host and these field lines.
inline std::string replay_fields(std::string_view fields, const Limits& limits = {}) {
  std::string input("POST / HTTP/1.1\r\nHost: a\r\n");
  input.append(fields).append("\r\n");
  return replay_request(input, limits);
}

}  // namespace hangu::codec::http1::test
