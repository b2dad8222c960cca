// Limits: how much of a message a peer may make us hold, and which doubtful spellings pass. A copy
// lives with each listener and upstream. Plain values.
#pragma once

#include <cstdint>

namespace hangu::codec::http1 {

struct Limits {
  uint32_t request_line_bytes = 8 * 1024;  // without CRLF; a status line too; beyond: 414
  uint32_t header_line_bytes = 16 * 1024;  // without CRLF; beyond: 431
  uint32_t headers_bytes = 60 * 1024;      // all header lines with their CRLFs; beyond: 431
  uint32_t headers_count = 100;            // beyond: 431
  uint32_t chunk_line_bytes = 256;         // chunk size and extensions, without CRLF
  uint32_t trailer_bytes = 8 * 1024;       // all trailer lines with their CRLFs
  bool allow_underscore = false;           // in names of request fields
};

}  // namespace hangu::codec::http1
