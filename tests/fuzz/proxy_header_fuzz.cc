// Fuzz target: any bytes as the beginning of a connection that must begin with a PROXY header.
// However many bytes have arrived, the answer is "more" until it is final, and then always the
// same.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hangu/base/assert.h"
#include "hangu/codec/http1/proxy_protocol.h"

#include "tests/fuzz/support.h"

namespace hangu::codec::http1 {

namespace {

bool same(const ProxyEndpoint& a, const ProxyEndpoint& b) {
  return a.ip() == b.ip() && a.port == b.port;
}

void check_complete(const ProxyHeader& header, size_t size) {
  HANGU_ASSERT(header.consumed <= size && header.consumed <= kProxyHeaderBytesMax);
  if (header.local) {
    HANGU_ASSERT(header.source.size == 0 && header.destination.size == 0);
  } else {
    HANGU_ASSERT(header.source.size == 4 || header.source.size == 16);
    HANGU_ASSERT(header.source.size == header.destination.size);
  }
}

/// What is known of `part` must hold for all of `input`.
void check_part(std::string_view part, std::string_view input, const Result<ProxyHeader>& whole) {
  const fuzz::Piece piece(part);
  const auto result = parse_proxy_header(piece.view());
  if (!result) {
    HANGU_ASSERT(result.error().code == Errc::kBadProxyHeader);
    HANGU_ASSERT(!whole);
    return;
  }
  if (result->consumed == 0) {
    HANGU_ASSERT(part.size() < kProxyHeaderBytesMax);
    HANGU_ASSERT(!whole || whole->consumed == 0 || whole->consumed > part.size());
    return;
  }
  check_complete(*result, part.size());
  HANGU_ASSERT(whole && whole->consumed == result->consumed && whole->local == result->local);
  HANGU_ASSERT(same(whole->source, result->source));
  HANGU_ASSERT(same(whole->destination, result->destination));
  HANGU_ASSERT(part.size() <= input.size());
}

}  // namespace

void check_one(std::string_view input) {
  const fuzz::Piece piece(input);
  const auto whole = parse_proxy_header(piece.view());
  size_t size = 0;
  for (const std::string_view cut : fuzz::cut_randomly(input, 1 + input.size() / 16)) {
    check_part(input.substr(0, size), input, whole);
    size += cut.size();
  }
  check_part(input, input, whole);
}

}  // namespace hangu::codec::http1

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hangu::codec::http1::check_one(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
