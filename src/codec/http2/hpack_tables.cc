#include "codec/http2/hpack_tables.h"

#include <algorithm>
#include <array>
#include <bit>

namespace hangu::codec::http2 {
namespace {

constexpr uint32_t kFieldOverhead = 32;  // §4.1
constexpr uint32_t kSlotsMin = 16;
constexpr uint32_t kTextMin = 1024;

// Appendix A.
constexpr std::array<TableField, kStaticFields> kStatic = {{
    {":authority", ""},
    {":method", "GET"},
    {":method", "POST"},
    {":path", "/"},
    {":path", "/index.html"},
    {":scheme", "http"},
    {":scheme", "https"},
    {":status", "200"},
    {":status", "204"},
    {":status", "206"},
    {":status", "304"},
    {":status", "400"},
    {":status", "404"},
    {":status", "500"},
    {"accept-charset", ""},
    {"accept-encoding", "gzip, deflate"},
    {"accept-language", ""},
    {"accept-ranges", ""},
    {"accept", ""},
    {"access-control-allow-origin", ""},
    {"age", ""},
    {"allow", ""},
    {"authorization", ""},
    {"cache-control", ""},
    {"content-disposition", ""},
    {"content-encoding", ""},
    {"content-language", ""},
    {"content-length", ""},
    {"content-location", ""},
    {"content-range", ""},
    {"content-type", ""},
    {"cookie", ""},
    {"date", ""},
    {"etag", ""},
    {"expect", ""},
    {"expires", ""},
    {"from", ""},
    {"host", ""},
    {"if-match", ""},
    {"if-modified-since", ""},
    {"if-none-match", ""},
    {"if-range", ""},
    {"if-unmodified-since", ""},
    {"last-modified", ""},
    {"link", ""},
    {"location", ""},
    {"max-forwards", ""},
    {"proxy-authenticate", ""},
    {"proxy-authorization", ""},
    {"range", ""},
    {"referer", ""},
    {"refresh", ""},
    {"retry-after", ""},
    {"server", ""},
    {"set-cookie", ""},
    {"strict-transport-security", ""},
    {"transfer-encoding", ""},
    {"user-agent", ""},
    {"vary", ""},
    {"via", ""},
    {"www-authenticate", ""},
}};

// The names by a hash of their size and two of their bytes, which all of them have.
constexpr uint32_t kBuckets = 256;

constexpr uint32_t bucket_of(std::string_view name) {
  const auto last = static_cast<uint8_t>(name.back());
  const auto middle = static_cast<uint8_t>(name[name.size() / 2]);
  return (static_cast<uint32_t>(name.size()) * 11 + last * 29U + middle * 7U) % kBuckets;
}

/// The next bucket takes what a bucket has no room for; 0: the end.
constexpr std::array<uint8_t, kBuckets> make_buckets() {
  std::array<uint8_t, kBuckets> buckets{};
  for (uint32_t i = 0; i < kStaticFields; ++i) {
    if (i != 0 && kStatic[i].name == kStatic[i - 1].name) {
      continue;
    }
    uint32_t bucket = bucket_of(kStatic[i].name);
    while (buckets[bucket] != 0) {
      bucket = (bucket + 1) % kBuckets;
    }
    buckets[bucket] = static_cast<uint8_t>(i + 1);
  }
  return buckets;
}

constexpr std::array<uint8_t, kBuckets> kBucketsOfNames = make_buckets();

uint64_t load(const char* from, size_t bytes) {
  uint64_t word = 0;
  std::copy_n(from, bytes, reinterpret_cast<char*>(&word));
  return word;
}

/// Of no use against a peer that looks for collisions: they cost it the compression, nothing else.
uint32_t hash(std::string_view text, uint64_t seed) {
  constexpr uint64_t kFactor = 0x9e3779b97f4a7c15;
  uint64_t value = seed ^ text.size() * kFactor;
  const char* from = text.data();
  size_t left = text.size();
  for (; left >= 8; left -= 8, from += 8) {
    value = std::rotl((value ^ load(from, 8)) * kFactor, 29);
  }
  value = (value ^ load(from, left)) * kFactor;
  return static_cast<uint32_t>(value >> 32);
}

}  // namespace

TableField static_field(uint32_t index) noexcept {
  return kStatic[index - 1];
}

uint32_t find_static_name(std::string_view name) noexcept {
  if (name.empty()) {
    return 0;
  }
  for (uint32_t bucket = bucket_of(name);; bucket = (bucket + 1) % kBuckets) {
    const uint32_t index = kBucketsOfNames[bucket];
    if (index == 0 || kStatic[index - 1].name == name) {
      return index;
    }
  }
}

uint32_t find_static_field(uint32_t name_index, std::string_view value) noexcept {
  for (uint32_t i = name_index;
       i != 0 && i <= kStaticFields && kStatic[i - 1].name == kStatic[name_index - 1].name; ++i) {
    if (kStatic[i - 1].value == value) {
      return i;
    }
  }
  return 0;
}

TableField DynamicTable::field(uint32_t index) const noexcept {
  const Entry& entry = entries_[slot(index)];
  const char* const name = text_.get() + entry.at;
  return {{name, entry.name_size}, {name + entry.name_size, entry.value_size}};
}

void DynamicTable::resize(uint32_t bytes_max) noexcept {
  bytes_max_ = bytes_max;
  evict_until(bytes_max);
}

void DynamicTable::evict_until(uint32_t bytes_max) noexcept {
  while (bytes_ > bytes_max) {
    const Entry& oldest = entries_[slot(count_ - 1)];
    const uint32_t size = oldest.name_size + oldest.value_size;
    bytes_ -= size + kFieldOverhead;
    text_begin_ = oldest.at + size;
    --count_;
  }
}

void DynamicTable::add(std::string_view name, std::string_view value) noexcept {
  const size_t size = name.size() + value.size();
  if (size + kFieldOverhead > bytes_max_) {
    evict_until(0);
    return;
  }
  const auto text = static_cast<uint32_t>(size);
  evict_until(bytes_max_ - text - kFieldOverhead);
  make_slot();
  make_room(text);
  char* const to = text_.get() + text_end_;
  std::copy(value.begin(), value.end(), std::copy(name.begin(), name.end(), to));
  const uint32_t at = next_++ & (slots_ - 1);
  entries_[at] = {text_end_, static_cast<uint32_t>(name.size()),
                  static_cast<uint32_t>(value.size())};
  const uint32_t name_hash = hash(name, 0);
  hashes_[at] = {name_hash, hash(value, name_hash)};
  text_end_ += text;
  bytes_ += text + kFieldOverhead;
  ++count_;
}

void DynamicTable::make_slot() {
  if (count_ < slots_) {
    return;
  }
  const uint32_t slots = std::max(kSlotsMin, slots_ * 2);
  auto entries = std::make_unique<Entry[]>(slots);
  auto hashes = std::make_unique<Hashes[]>(slots);
  for (uint32_t i = 0; i < count_; ++i) {
    entries[i] = entries_[slot(count_ - 1 - i)];
    hashes[i] = hashes_[slot(count_ - 1 - i)];
  }
  entries_ = std::move(entries);
  hashes_ = std::move(hashes);
  slots_ = slots;
  next_ = count_;
}

/// For so many bytes behind text_end_. Twice the text there is at most, so that it moves rarely.
void DynamicTable::make_room(uint32_t bytes) {
  if (text_end_ + bytes <= text_capacity_) {
    return;
  }
  if (count_ == 0) {
    text_begin_ = text_end_;
  }
  const uint32_t live = text_end_ - text_begin_;
  uint32_t capacity = std::max(text_capacity_, kTextMin);
  while (capacity < 2 * (live + bytes)) {
    capacity *= 2;
  }
  std::unique_ptr<char[]> larger;
  if (capacity != text_capacity_) {
    larger = std::make_unique<char[]>(capacity);
  }
  char* const to = larger != nullptr ? larger.get() : text_.get();
  const char* const from = text_.get() + text_begin_;
  std::copy(from, from + live, to);  // to the front: never onto what is still to be copied
  if (larger != nullptr) {
    text_ = std::move(larger);
    text_capacity_ = capacity;
  }
  for (uint32_t i = 0; i < count_; ++i) {
    entries_[slot(i)].at -= text_begin_;
  }
  text_begin_ = 0;
  text_end_ = live;
}

uint32_t DynamicTable::find(std::string_view name, std::string_view value) const noexcept {
  const uint32_t both = hash(value, hash(name, 0));
  for (uint32_t i = 0; i < count_; ++i) {
    if (hashes_[slot(i)].both == both) {
      const TableField found = field(i);
      if (found.name == name && found.value == value) {
        return i;
      }
    }
  }
  return count_;
}

uint32_t DynamicTable::find_name(std::string_view name) const noexcept {
  const uint32_t wanted = hash(name, 0);
  for (uint32_t i = 0; i < count_; ++i) {
    if (hashes_[slot(i)].name == wanted && field(i).name == name) {
      return i;
    }
  }
  return count_;
}

}  // namespace hangu::codec::http2
