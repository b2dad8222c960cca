// Frames body pieces in chunks (RFC 9112 §7.1) on any output with write, write_copy and
// write_static.
#pragma once

#include <string_view>
#include <utility>

#include "hangu/buffer/block.h"
#include "hangu/codec/http1/serialiser.h"

namespace hangu::codec::http1 {

/// Writes `data` as one chunk (none when it is empty) and, with `end`, the last chunk without
/// trailers.
template <class Output>
void write_chunked(Output& output, buffer::Slice&& data, bool end) {
  if (data.size != 0) {
    char header[kChunkHeaderBytesMax];
    output.write_copy(std::string_view(header, write_chunk_header(header, data.size)));
    output.write(std::move(data));
    output.write_static(end ? "\r\n0\r\n\r\n" : "\r\n");
  } else if (end) {
    output.write_static("0\r\n\r\n");
  }
}

}  // namespace hangu::codec::http1
