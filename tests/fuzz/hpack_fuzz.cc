// Fuzz target: HPACK against nghttp2's. Any bytes as blocks of one connection: both decoders see
// the same fields, or both refuse, however the blocks are cut. What was decoded is then encoded by
// ours and read by theirs, and the other way round, with table sizes that change.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nghttp2/nghttp2.h>

#include "hangu/base/assert.h"
#include "hangu/codec/http2/hpack.h"

#include "tests/fuzz/support.h"

namespace hangu::codec::http2 {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

class Collector final : public FieldSink {
 public:
  void on_field(std::string_view name, std::string_view value) noexcept override {
    fields.emplace_back(name, value);
  }

  Fields fields;
};

uint8_t* bytes_of(std::string_view text) {
  return const_cast<uint8_t*>(reinterpret_cast<const uint8_t*>(text.data()));
}

class TheirDecoder {
 public:
  TheirDecoder() { HANGU_ASSERT(nghttp2_hd_inflate_new(&inflater_) == 0); }

  ~TheirDecoder() { nghttp2_hd_inflate_del(inflater_); }

  TheirDecoder(const TheirDecoder&) = delete;
  TheirDecoder& operator=(const TheirDecoder&) = delete;

  void set_table_limit(uint32_t bytes) {
    HANGU_ASSERT(nghttp2_hd_inflate_change_table_size(inflater_, bytes) == 0);
  }

  bool decode(std::string_view block, Fields& out) {
    for (;;) {
      nghttp2_nv field{};
      int flags = 0;
      const ssize_t taken =
          nghttp2_hd_inflate_hd2(inflater_, &field, &flags, bytes_of(block), block.size(), 1);
      if (taken < 0) {
        return false;
      }
      block.remove_prefix(static_cast<size_t>(taken));
      if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
        out.emplace_back(std::string(reinterpret_cast<char*>(field.name), field.namelen),
                         std::string(reinterpret_cast<char*>(field.value), field.valuelen));
      } else if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) {
        nghttp2_hd_inflate_end_headers(inflater_);
        return true;
      } else if (block.empty()) {
        return false;
      }
    }
  }

 private:
  nghttp2_hd_inflater* inflater_ = nullptr;
};

class TheirEncoder {
 public:
  TheirEncoder() { HANGU_ASSERT(nghttp2_hd_deflate_new(&deflater_, kHeaderTableBytes) == 0); }

  ~TheirEncoder() { nghttp2_hd_deflate_del(deflater_); }

  TheirEncoder(const TheirEncoder&) = delete;
  TheirEncoder& operator=(const TheirEncoder&) = delete;

  void set_table_limit(uint32_t bytes) {
    HANGU_ASSERT(nghttp2_hd_deflate_change_table_size(deflater_, bytes) == 0);
  }

  std::string encode(const Fields& fields) {
    std::vector<nghttp2_nv> all;
    for (const auto& [name, value] : fields) {
      all.push_back(
          {bytes_of(name), bytes_of(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
    }
    std::string out(nghttp2_hd_deflate_bound(deflater_, all.data(), all.size()), '\0');
    const ssize_t written =
        nghttp2_hd_deflate_hd(deflater_, bytes_of(out), out.size(), all.data(), all.size());
    HANGU_ASSERT(written >= 0);
    out.resize(static_cast<size_t>(written));
    return out;
  }

 private:
  nghttp2_hd_deflater* deflater_ = nullptr;
};

bool decode_cut(HpackDecoder& decoder, const fuzz::Cuts& cuts, Fields& out) {
  Collector collector;
  bool good = true;
  for (const std::string_view cut : cuts) {
    const fuzz::Piece piece(cut);
    good = good && decoder.decode(piece.view(), false, collector);
  }
  good = good && decoder.decode({}, true, collector);
  out = std::move(collector.fields);
  return good;
}

std::string encode_ours(HpackEncoder& encoder, const Fields& fields, uint32_t plan) {
  using Indexing = HpackEncoder::Indexing;
  std::string out;
  for (const auto& [name, value] : fields) {
    const Indexing indexing = plan % 5 == 0   ? Indexing::kNever
                              : plan % 5 == 1 ? Indexing::kNot
                                              : Indexing::kAllowed;
    plan = plan * 7 + 3;
    const size_t before = out.size();
    const size_t room = HpackEncoder::bytes_max(name, value);
    const auto space = std::make_unique<char[]>(room);
    const size_t written = encoder.encode(space.get(), name, value, indexing);
    HANGU_ASSERT(written <= room);
    out.append(space.get(), written);
    HANGU_ASSERT(out.size() == before + written);
  }
  return out;
}

/// Table limits that both sides of a pair follow.
constexpr uint32_t kLimits[] = {4096, 0, 200, 1000, 4096};

class RoundTrips {
 public:
  void run(const Fields& fields, uint32_t plan) {
    if (plan % 4 == 0) {
      const uint32_t limit = kLimits[plan / 4 % std::size(kLimits)];
      ours_.set_table_limit(limit);
      their_reader_.set_table_limit(limit);
      theirs_.set_table_limit(limit);
    }
    if (fields.empty()) {
      return;
    }
    Fields read;
    HANGU_ASSERT(their_reader_.decode(encode_ours(ours_, fields, plan), read));
    HANGU_ASSERT(read == fields);
    Fields read_by_us;
    const std::string block = theirs_.encode(fields);
    HANGU_ASSERT(decode_cut(our_reader_, fuzz::cut_randomly(block, 1 + plan % 40), read_by_us));
    HANGU_ASSERT(read_by_us == fields);
  }

 private:
  HpackEncoder ours_;
  TheirDecoder their_reader_;
  TheirEncoder theirs_;
  HpackDecoder our_reader_;
};

void run(std::string_view input) {
  HpackDecoder ours_whole;
  HpackDecoder ours_cut;
  TheirDecoder theirs;
  RoundTrips trips;
  uint32_t plan = 1;
  while (input.size() >= 3) {
    const size_t wanted = static_cast<uint8_t>(input[0]) * 4U + static_cast<uint8_t>(input[1]) % 4;
    plan = plan * 31 + static_cast<uint8_t>(input[2]);
    input.remove_prefix(3);
    const std::string_view block = input.substr(0, std::min(wanted, input.size()));
    input.remove_prefix(block.size());

    Fields expected;
    Fields whole;
    Fields cut;
    const bool good = theirs.decode(block, expected);
    HANGU_ASSERT(decode_cut(ours_whole, {block}, whole) == good);
    HANGU_ASSERT(decode_cut(ours_cut, fuzz::cut_randomly(block, 1 + plan % 30), cut) == good);
    HANGU_ASSERT(whole == cut);
    if (!good) {
      return;
    }
    HANGU_ASSERT(whole == expected);
    trips.run(whole, plan);
  }
}

}  // namespace
}  // namespace hangu::codec::http2

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hangu::codec::http2::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
