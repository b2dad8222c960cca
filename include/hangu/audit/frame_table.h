// FrameTable: where the frames of a packed file are. A complete file of the log is packed as many
// frames of zstd, each of whole lines, so that several threads can unpack it side by side; where
// they are stands behind them, in a frame that every other reader of zstd skips:
//
//   0x184D2A5B, size of what follows (32 bits each, little endian as all here)
//   the packed size of each frame (32 bits)
//   their number (32 bits), "hanguLN1"
//
// Pure but for the reading of the file; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hangu::audit {

/// The packed sizes, in order.
using FrameSizes = std::vector<uint32_t>;

/// What is written behind the frames.
std::string frame_table(const FrameSizes& sizes);

/// The one of a file of so many bytes; nullopt: it has none that can be right, so it is to be read
/// from its beginning.
std::optional<FrameSizes> read_frame_table(int fd, uint64_t file_bytes);

}  // namespace hangu::audit
