#include "hangu/filter/compression_filter.h"

#include <algorithm>
#include <memory>

#include "hangu/filter/stream.h"
#include "hangu/http/field_list.h"
#include "hangu/http/text.h"

#include "filter/action_counters.h"
#include "filter/compressed_body.h"

namespace hangu::filter {
namespace {

using config::ContentCoding;
using http::HeaderName;

// Statuses whose body is none, or no whole representation.
bool has_whole_body(int status) noexcept {
  return status >= 200 && status != 204 && status != 205 && status != 206 && status != 304;
}

/// What says something of the bytes as they are (RFC 9530 and its forerunners).
bool has_digest(const http::HeaderBlock& headers) noexcept {
  for (const std::string_view name :
       {"content-digest", "repr-digest", "digest", "content-md5", "signature"}) {
    if (headers.find(name) != nullptr) {
      return true;
    }
  }
  return false;
}

/// A compressed body is another representation, equal at most in meaning (RFC 9110 §8.8.1).
std::string_view weakened(std::string_view etag, buffer::Arena& arena) noexcept {
  char* const text = arena.allocate(etag.size() + 2, 1);
  text[0] = 'W';
  text[1] = '/';
  std::copy(etag.begin(), etag.end(), text + 2);
  return {text, etag.size() + 2};
}

void describe(Stream& stream, ContentCoding coding) noexcept {
  http::HeaderBlock& headers = stream.response.headers;
  static_cast<void>(headers.set(HeaderName::kContentEncoding, policy::to_string(coding)));
  headers.remove(HeaderName::kContentLength);
  headers.remove(HeaderName::kAcceptRanges);
  const std::string_view etag = headers.value(HeaderName::kEtag);
  if (!etag.empty() && !etag.starts_with("W/")) {
    static_cast<void>(headers.set(HeaderName::kEtag, weakened(etag, stream.arena())));
  }
  if (stream.response.framing == http::BodyFraming::kLength) {
    stream.response.framing = http::BodyFraming::kChunked;
  }
}

}  // namespace

FilterStatus CompressionFilter::on_response_headers(Stream& stream) const noexcept {
  if (!may_compress(stream) || !begin(stream)) {
    stream.ignore_response_data();
  }
  return FilterStatus::kContinue;
}

/// Whether the response is one that is compressed for those who take it.
bool CompressionFilter::may_compress(const Stream& stream) const noexcept {
  const http::ResponseHead& response = stream.response;
  const http::HeaderBlock& headers = response.headers;
  const bool long_enough = response.framing != http::BodyFraming::kLength ||
                           response.content_length >= config_.bytes_min;
  return has_whole_body(response.status) && long_enough && !stream.info.grpc &&
         !headers.contains(HeaderName::kContentEncoding) &&
         !headers.contains(HeaderName::kContentRange) &&
         types_.contains(headers.value(HeaderName::kContentType)) &&
         !http::list_contains(headers, HeaderName::kCacheControl, "no-transform") &&
         !has_digest(headers);
}

/// Whether somebody could learn a secret from the length: it takes a browser that sends what it
/// holds of its own accord, and an attacker who makes it do so. That is cookies, passwords and
/// certificates; a bearer token is only sent by the script that holds it.
bool CompressionFilter::reveals_secrets(const Stream& stream) const noexcept {
  const http::HeaderBlock& request = stream.request.headers;
  const std::string_view authorization = request.value(HeaderName::kAuthorization);
  constexpr std::string_view kBearer = "bearer ";
  const bool password = !authorization.empty() &&
                        !http::equals_ignore_case(authorization.substr(0, kBearer.size()), kBearer);
  return request.contains(HeaderName::kCookie) || password ||
         !stream.info.tls_client_fingerprint.empty() ||
         stream.response.headers.contains(HeaderName::kSetCookie);
}

bool CompressionFilter::begin(Stream& stream) const noexcept {
  http::add_vary(stream.response.headers, "Accept-Encoding");
  const auto coding = policy::negotiate_coding(stream.request.headers, config_.codings);
  // A client of HTTP/1.0 would lose its connection: only its end can tell where the body ends.
  if (!coding || stream.response_is_head_only() || stream.request.method == http::Method::kHead ||
      stream.request.version == http::Version::kHttp10 ||
      (!config_.with_credentials && reveals_secrets(stream))) {
    return false;
  }
  Compressors::Ptr compressor = stream.shard().compressors().take(*coding, level_of(*coding));
  if (compressor == nullptr) {
    action_counters(stream).compression_skipped.add();
    return false;
  }
  describe(stream, *coding);
  char* const place = stream.arena().allocate(sizeof(CompressedBody), alignof(CompressedBody));
  stream.kept.compressed_body =
      std::construct_at(reinterpret_cast<CompressedBody*>(place), stream, std::move(compressor));
  return true;
}

uint32_t CompressionFilter::level_of(ContentCoding coding) const noexcept {
  switch (coding) {
    case ContentCoding::kGzip: return config_.gzip_level;
    case ContentCoding::kBrotli: return config_.brotli_level;
    case ContentCoding::kZstd: return config_.zstd_level;
  }
  return config_.gzip_level;
}

FilterStatus CompressionFilter::on_response_data(Stream& stream, buffer::Slice& data,
                                                 bool end) const noexcept {
  CompressedBody* body = stream.kept.compressed_body;
  return body != nullptr ? body->take(data, end) : FilterStatus::kContinue;
}

void CompressionFilter::on_stream_end(Stream& stream) const noexcept {
  if (CompressedBody* body = std::exchange(stream.kept.compressed_body, nullptr)) {
    std::destroy_at(body);
  }
}

}  // namespace hangu::filter
