#include "hangu/codec/http2/hpack.h"

#include <algorithm>
#include <string>

#include "codec/http2/hpack_tables.h"
#include "codec/http2/huffman.h"

namespace hangu::codec::http2 {
namespace {

// §6: the first bits of a representation, and those that are left for the number that follows.
constexpr uint8_t kIndexed = 0x80;
constexpr uint8_t kIncremental = 0x40;
constexpr uint8_t kSizeUpdate = 0x20;
constexpr uint8_t kNeverIndexed = 0x10;
constexpr uint8_t kHuffman = 0x80;
constexpr unsigned kIndexedBits = 7;
constexpr unsigned kIncrementalBits = 6;
constexpr unsigned kSizeUpdateBits = 5;
constexpr unsigned kLiteralBits = 4;
constexpr unsigned kLengthBits = 7;

// §5.1: of so many bytes more there is no number that we would take.
constexpr unsigned kNumberShiftMax = 28;

// Scratch memory that is kept between blocks.
constexpr size_t kScratchKeep = 4096;

enum class Parse : uint8_t { kDone, kMore, kBad };

/// A place in a block, as far as it is there.
struct Cursor {
  const char* at;
  const char* end;

  size_t left() const { return static_cast<size_t>(end - at); }
};

/// §5.1.
Parse read_number(Cursor& in, unsigned prefix_bits, uint32_t& number) {
  if (in.at == in.end) {
    return Parse::kMore;
  }
  const uint32_t prefix_max = (1U << prefix_bits) - 1;
  const uint32_t prefix = static_cast<uint8_t>(*in.at++) & prefix_max;
  number = prefix;
  if (prefix < prefix_max) {
    return Parse::kDone;
  }
  uint64_t value = prefix;
  for (unsigned shift = 0; in.at != in.end; shift += 7) {
    const auto byte = static_cast<uint8_t>(*in.at++);
    value += uint64_t{byte & 0x7fU} << shift;
    if (shift > kNumberShiftMax || value > UINT32_MAX) {
      return Parse::kBad;
    }
    if ((byte & 0x80U) == 0) {
      number = static_cast<uint32_t>(value);
      return Parse::kDone;
    }
  }
  return Parse::kMore;
}

/// §5.2. Huffman-coded text is not decoded yet.
struct CodedString {
  std::string_view bytes;
  bool huffman = false;

  size_t decoded_max() const { return huffman ? huffman_decoded_max(bytes.size()) : 0; }
};

Parse read_string(Cursor& in, CodedString& out) {
  if (in.at == in.end) {
    return Parse::kMore;
  }
  out.huffman = (static_cast<uint8_t>(*in.at) & kHuffman) != 0;
  uint32_t size = 0;
  const Parse parsed = read_number(in, kLengthBits, size);
  if (parsed != Parse::kDone) {
    return parsed;
  }
  if (size > kHpackStringBytesMax) {
    return Parse::kBad;
  }
  if (size > in.left()) {
    return Parse::kMore;
  }
  out.bytes = {in.at, size};
  in.at += size;
  return Parse::kDone;
}

char* write_number(char* out, uint8_t first, unsigned prefix_bits, uint32_t number) {
  const uint32_t prefix_max = (1U << prefix_bits) - 1;
  if (number < prefix_max) {
    *out++ = static_cast<char>(first | number);
    return out;
  }
  *out++ = static_cast<char>(first | prefix_max);
  number -= prefix_max;
  while (number >= 0x80) {
    *out++ = static_cast<char>(0x80U | (number & 0x7fU));
    number >>= 7U;
  }
  *out++ = static_cast<char>(number);
  return out;
}

char* write_plain(char* out, std::string_view text) {
  out = write_number(out, 0, kLengthBits, static_cast<uint32_t>(text.size()));
  return std::copy(text.begin(), text.end(), out);
}

/// In whichever form is shorter.
char* write_short(char* out, std::string_view text) {
  const size_t coded = huffman_encoded_bytes(text);
  if (coded >= text.size()) {
    return write_plain(out, text);
  }
  out = write_number(out, kHuffman, kLengthBits, static_cast<uint32_t>(coded));
  return huffman_encode(text, out);
}

}  // namespace

// --- decoding ---------------------------------------------------------------------------------

struct HpackDecoder::State {
  DynamicTable table{kHeaderTableBytes};
  std::string unfinished;  // a representation of which the rest has not come
  std::string scratch;     // texts that do not stand in the block as they are
  bool begun = false;      // a field of the block has come: no size update may follow

  Parse next(Cursor& in, FieldSink& sink);
  Parse indexed(Cursor& in, FieldSink& sink);
  Parse literal(Cursor& in, FieldSink& sink);
  Parse size_update(Cursor& in);
  bool find(uint32_t index, TableField& out) const;
};

HpackDecoder::HpackDecoder()
    : state_(std::make_unique<State>()) {}

HpackDecoder::~HpackDecoder() = default;

bool HpackDecoder::decode(std::string_view piece, bool last, FieldSink& sink) noexcept {
  State& state = *state_;
  std::string block;  // keeps `piece` alive if it was put together
  if (!state.unfinished.empty()) {
    state.unfinished.append(piece);
    block.swap(state.unfinished);
    piece = block;
  }
  Cursor in{piece.data(), piece.data() + piece.size()};
  const char* done = in.at;
  while (in.at != in.end) {
    const Parse parsed = state.next(in, sink);
    if (parsed == Parse::kBad || (parsed == Parse::kMore && last)) {
      return false;
    }
    if (parsed == Parse::kMore) {
      break;
    }
    done = in.at;
  }
  if (last) {
    state.begun = false;
    if (state.scratch.size() > kScratchKeep) {
      state.scratch = {};
    }
  } else if (done != in.end) {
    state.unfinished.assign(done, in.end);
  }
  return true;
}

Parse HpackDecoder::State::next(Cursor& in, FieldSink& sink) {
  const auto first = static_cast<uint8_t>(*in.at);
  if ((first & kIndexed) != 0) {
    return indexed(in, sink);
  }
  if ((first & (kIncremental | kSizeUpdate)) == kSizeUpdate) {
    return size_update(in);
  }
  return literal(in, sink);
}

/// §2.3.3.
bool HpackDecoder::State::find(uint32_t index, TableField& out) const {
  if (index == 0 || index - 1 >= kStaticFields + table.size()) {
    return false;
  }
  out = index <= kStaticFields ? static_field(index) : table.field(index - kStaticFields - 1);
  return true;
}

Parse HpackDecoder::State::indexed(Cursor& in, FieldSink& sink) {
  uint32_t index = 0;
  const Parse parsed = read_number(in, kIndexedBits, index);
  if (parsed != Parse::kDone) {
    return parsed;
  }
  TableField field;
  if (!find(index, field)) {
    return Parse::kBad;
  }
  begun = true;
  sink.on_field(field.name, field.value);
  return Parse::kDone;
}

Parse HpackDecoder::State::literal(Cursor& in, FieldSink& sink) {
  const bool add = (static_cast<uint8_t>(*in.at) & kIncremental) != 0;
  uint32_t index = 0;
  Parse parsed = read_number(in, add ? kIncrementalBits : kLiteralBits, index);
  if (parsed != Parse::kDone) {
    return parsed;
  }
  TableField field;
  CodedString name;
  if (index != 0) {
    if (!find(index, field)) {
      return Parse::kBad;
    }
  } else if (parsed = read_string(in, name); parsed != Parse::kDone) {
    return parsed;
  }
  CodedString value;
  if (parsed = read_string(in, value); parsed != Parse::kDone) {
    return parsed;
  }
  begun = true;
  // A name of the dynamic table is copied: adding the field may move or evict it.
  const bool copy_name = add && index > kStaticFields;
  const size_t needed =
      name.decoded_max() + value.decoded_max() + (copy_name ? field.name.size() : 0);
  if (scratch.size() < needed) {
    scratch.resize(needed);
  }
  char* to = scratch.data();
  const auto text_of = [&](const CodedString& coded, std::string_view& out) {
    out = coded.bytes;
    if (!coded.huffman) {
      return true;
    }
    char* const end = huffman_decode(coded.bytes, to);
    if (end == nullptr) {
      return false;
    }
    out = {to, static_cast<size_t>(end - to)};
    to = end;
    return out.size() <= kHpackStringBytesMax;
  };
  if (copy_name) {
    char* const end = std::copy(field.name.begin(), field.name.end(), to);
    field.name = {to, field.name.size()};
    to = end;
  } else if (index == 0 && !text_of(name, field.name)) {
    return Parse::kBad;
  }
  if (!text_of(value, field.value)) {
    return Parse::kBad;
  }
  if (add) {
    table.add(field.name, field.value);
  }
  sink.on_field(field.name, field.value);
  return Parse::kDone;
}

/// §6.3: at the beginning of a block, within what our SETTINGS allow.
Parse HpackDecoder::State::size_update(Cursor& in) {
  uint32_t bytes = 0;
  const Parse parsed = read_number(in, kSizeUpdateBits, bytes);
  if (parsed != Parse::kDone) {
    return parsed;
  }
  if (begun || bytes > kHeaderTableBytes) {
    return Parse::kBad;
  }
  table.resize(bytes);
  return Parse::kDone;
}

// --- encoding ---------------------------------------------------------------------------------

struct HpackEncoder::State {
  DynamicTable table{kHeaderTableBytes};
  uint32_t limit_least = kHeaderTableBytes;  // since the last block
  bool limit_changed = false;

  char* write_limits(char* out);
  char* write_literal(char* out, uint32_t static_name, std::string_view name,
                      std::string_view value, Indexing indexing);
};

HpackEncoder::HpackEncoder()
    : state_(std::make_unique<State>()) {}

HpackEncoder::~HpackEncoder() = default;

void HpackEncoder::set_table_limit(uint32_t bytes) noexcept {
  State& state = *state_;
  const uint32_t limit = std::min(bytes, kHeaderTableBytes);
  if (!state.limit_changed) {
    state.limit_least = state.table.bytes_max();
  }
  state.limit_least = std::min(state.limit_least, limit);
  state.limit_changed = true;
  state.table.resize(limit);
}

/// §4.2: the least there was in between, then what holds.
char* HpackEncoder::State::write_limits(char* out) {
  limit_changed = false;
  if (limit_least < table.bytes_max()) {
    out = write_number(out, kSizeUpdate, kSizeUpdateBits, limit_least);
  }
  return write_number(out, kSizeUpdate, kSizeUpdateBits, table.bytes_max());
}

size_t HpackEncoder::encode(char* out, std::string_view name, std::string_view value,
                            Indexing indexing) noexcept {
  State& state = *state_;
  char* to = state.limit_changed ? state.write_limits(out) : out;
  const uint32_t static_name = find_static_name(name);
  if (indexing != Indexing::kNever) {
    uint32_t index = find_static_field(static_name, value);
    if (index == 0 && indexing == Indexing::kAllowed) {
      const uint32_t found = state.table.find(name, value);
      index = found < state.table.size() ? kStaticFields + 1 + found : 0;
    }
    if (index != 0) {
      to = write_number(to, kIndexed, kIndexedBits, index);
      return static_cast<size_t>(to - out);
    }
  }
  to = state.write_literal(to, static_name, name, value, indexing);
  return static_cast<size_t>(to - out);
}

/// What goes into the table is made short: it comes once. What does not is sent as it is.
char* HpackEncoder::State::write_literal(char* out, uint32_t static_name, std::string_view name,
                                         std::string_view value, Indexing indexing) {
  uint32_t name_index = static_name;
  if (name_index == 0) {
    const uint32_t found = table.find_name(name);
    name_index = found < table.size() ? kStaticFields + 1 + found : 0;
  }
  // A field that takes most of the table costs the others their place. One that changes with every
  // message is added once, so that its name is there.
  const bool wanted =
      indexing == Indexing::kAllowed || (indexing == Indexing::kNot && name_index == 0);
  const bool add = wanted && name.size() + value.size() <= table.bytes_max() / 2;
  const uint8_t first = add                            ? kIncremental
                        : indexing == Indexing::kNever ? kNeverIndexed
                                                       : uint8_t{0};
  out = write_number(out, first, add ? kIncrementalBits : kLiteralBits, name_index);
  if (name_index == 0) {
    out = write_short(out, name);
  }
  if (add) {
    table.add(name, value);
    return write_short(out, value);
  }
  return write_plain(out, value);
}

}  // namespace hangu::codec::http2
