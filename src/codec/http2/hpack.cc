// By nghttp2's public HPACK functions. The only file that knows them.
#include "hangu/codec/http2/hpack.h"

#include <algorithm>

#include <nghttp2/nghttp2.h>

#include "hangu/base/assert.h"

namespace hangu::codec::http2 {
namespace {

// nghttp2 writes nothing to what it takes as input.
uint8_t* bytes_of(std::string_view text) {
  return const_cast<uint8_t*>(reinterpret_cast<const uint8_t*>(text.data()));
}

std::string_view text_of(const uint8_t* bytes, size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

// --- decoding ---------------------------------------------------------------------------------

struct HpackDecoder::State {
  nghttp2_hd_inflater* inflater = nullptr;
};

HpackDecoder::HpackDecoder()
    : state_(std::make_unique<State>()) {
  HANGU_ASSERT(nghttp2_hd_inflate_new(&state_->inflater) == 0);  // fails without memory only
}

HpackDecoder::~HpackDecoder() {
  nghttp2_hd_inflate_del(state_->inflater);
}

bool HpackDecoder::decode(std::string_view piece, bool last, FieldSink& sink) noexcept {
  for (;;) {
    nghttp2_nv field{};
    int flags = 0;
    const ssize_t taken = nghttp2_hd_inflate_hd2(state_->inflater, &field, &flags, bytes_of(piece),
                                                 piece.size(), last ? 1 : 0);
    if (taken < 0) {
      return false;
    }
    piece.remove_prefix(static_cast<size_t>(taken));
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
      sink.on_field(text_of(field.name, field.namelen), text_of(field.value, field.valuelen));
      continue;
    }
    if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) {
      nghttp2_hd_inflate_end_headers(state_->inflater);
      return true;
    }
    if (piece.empty()) {
      return !last;
    }
  }
}

// --- encoding ---------------------------------------------------------------------------------

struct HpackEncoder::State {
  nghttp2_hd_deflater* deflater = nullptr;
};

HpackEncoder::HpackEncoder()
    : state_(std::make_unique<State>()) {
  HANGU_ASSERT(nghttp2_hd_deflate_new(&state_->deflater, kHeaderTableBytes) == 0);
}

HpackEncoder::~HpackEncoder() {
  nghttp2_hd_deflate_del(state_->deflater);
}

void HpackEncoder::set_table_limit(uint32_t bytes) noexcept {
  static_cast<void>(nghttp2_hd_deflate_change_table_size(
      state_->deflater, std::min<size_t>(bytes, kHeaderTableBytes)));
}

size_t HpackEncoder::encode(char* out, std::string_view name, std::string_view value,
                            Indexing indexing) noexcept {
  const auto flags = static_cast<uint8_t>(indexing == Indexing::kNever ? NGHTTP2_NV_FLAG_NO_INDEX
                                                                       : NGHTTP2_NV_FLAG_NONE);
  const nghttp2_nv field{bytes_of(name), bytes_of(value), name.size(), value.size(), flags};
  const ssize_t written = nghttp2_hd_deflate_hd(state_->deflater, reinterpret_cast<uint8_t*>(out),
                                                bytes_max(name, value), &field, 1);
  HANGU_ASSERT(written >= 0);
  return static_cast<size_t>(written);
}

}  // namespace hangu::codec::http2
