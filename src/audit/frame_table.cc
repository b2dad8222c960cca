#include "hangu/audit/frame_table.h"

#include <numeric>
#include <string_view>

#include "hangu/base/file_bytes.h"

namespace hangu::audit {
namespace {

constexpr uint32_t kTableFrame = 0x184D2A5B;
constexpr std::string_view kTableMark = "hanguLN1";
constexpr size_t kTableNumberBytes = 4;
constexpr size_t kTableHeadBytes = 2 * kTableNumberBytes;
constexpr size_t kTableEndBytes = kTableNumberBytes + kTableMark.size();

void put(uint32_t value, std::string& out) {
  for (size_t i = 0; i < kTableNumberBytes; ++i) {
    out += static_cast<char>(value >> (8 * i));
  }
}

uint32_t number_at(std::string_view text, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < kTableNumberBytes; ++i) {
    value |= static_cast<uint32_t>(static_cast<unsigned char>(text[at + i])) << (8 * i);
  }
  return value;
}

/// Exactly so many bytes; empty: they are not there.
std::string bytes_at(int fd, uint64_t at, size_t count) {
  std::string bytes = read_at(fd, count, static_cast<off_t>(at));
  return bytes.size() == count ? bytes : std::string();
}

}  // namespace

std::string frame_table(const FrameSizes& sizes) {
  std::string table;
  put(kTableFrame, table);
  put(static_cast<uint32_t>(sizes.size() * kTableNumberBytes + kTableEndBytes), table);
  for (const uint32_t size : sizes) {
    put(size, table);
  }
  put(static_cast<uint32_t>(sizes.size()), table);
  return table += kTableMark;
}

std::optional<FrameSizes> read_frame_table(int fd, uint64_t file_bytes) {
  if (file_bytes < kTableHeadBytes + kTableEndBytes) {
    return std::nullopt;
  }
  const std::string end = bytes_at(fd, file_bytes - kTableEndBytes, kTableEndBytes);
  if (!end.ends_with(kTableMark)) {
    return std::nullopt;
  }
  const uint64_t list_bytes = uint64_t{number_at(end, 0)} * kTableNumberBytes;
  if (list_bytes > file_bytes - kTableHeadBytes - kTableEndBytes) {
    return std::nullopt;
  }
  const uint64_t begin = file_bytes - kTableEndBytes - list_bytes - kTableHeadBytes;
  const std::string table = bytes_at(fd, begin, kTableHeadBytes + list_bytes);
  if (table.empty() || number_at(table, 0) != kTableFrame ||
      number_at(table, kTableNumberBytes) != list_bytes + kTableEndBytes) {
    return std::nullopt;
  }
  FrameSizes sizes;
  for (size_t at = kTableHeadBytes; at < table.size(); at += kTableNumberBytes) {
    sizes.push_back(number_at(table, at));
  }
  const uint64_t all = std::accumulate(sizes.begin(), sizes.end(), uint64_t{0});
  return all == begin ? std::optional(std::move(sizes)) : std::nullopt;
}

}  // namespace hangu::audit
