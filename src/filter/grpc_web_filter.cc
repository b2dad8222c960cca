#include "hangu/filter/grpc_web_filter.h"

#include "hangu/filter/stream.h"
#include "hangu/http/grpc_web.h"

namespace hangu::filter {

using http::GrpcWeb;
using http::HeaderName;

FilterStatus GrpcWebFilter::on_request_headers(Stream& stream) const noexcept {
  http::HeaderBlock& headers = stream.request.headers;
  const GrpcWeb form = http::grpc_web_of(headers);
  if (form == GrpcWeb::kNone) {
    return FilterStatus::kContinue;
  }
  stream.info.grpc_web = form;
  stream.info.grpc = true;
  const std::string_view type =
      http::grpc_type_of(headers.value(HeaderName::kContentType), stream.arena());
  if (!headers.set(HeaderName::kContentType, type) || !headers.set(HeaderName::kTe, "trailers")) {
    stream.on_request_error(downstream_error(Errc::kHeadersTooLarge, "too many header fields"));
    return FilterStatus::kContinue;
  }
  if (form == GrpcWeb::kText && stream.request.framing == http::BodyFraming::kLength) {
    headers.remove(HeaderName::kContentLength);
    stream.request.framing = http::BodyFraming::kChunked;  // it becomes shorter
  }
  return FilterStatus::kContinue;
}

FilterStatus GrpcWebFilter::on_request_data(Stream& stream, buffer::Slice& data,
                                            bool end) const noexcept {
  if (stream.info.grpc_web != GrpcWeb::kText) {
    return FilterStatus::kContinue;
  }
  http::Base64Decoder& decoder = stream.info.grpc_web_text;
  buffer::BlockRef block = stream.make_block(http::Base64Decoder::bytes_max(data.size + 3));
  char* const begin = block->data();
  const char* const last = decoder.decode(data.view(), begin);
  if (last == nullptr || (end && !decoder.complete())) {
    stream.on_request_error(downstream_error(Errc::kBadFraming, "the body is no base64"));
    return FilterStatus::kContinue;
  }
  data = buffer::Slice{std::move(block), begin, static_cast<uint32_t>(last - begin)};
  return FilterStatus::kContinue;
}

FilterStatus GrpcWebFilter::on_response_headers(Stream& stream) const noexcept {
  const GrpcWeb form = stream.info.grpc_web;
  if (form == GrpcWeb::kNone) {
    return FilterStatus::kContinue;
  }
  http::HeaderBlock& headers = stream.response.headers;
  const std::string_view type = headers.value(HeaderName::kContentType);
  static_cast<void>(
      headers.set(HeaderName::kContentType, http::grpc_web_type_of(type, form, stream.arena())));
  headers.remove(HeaderName::kTrailer);
  if (stream.response.framing == http::BodyFraming::kLength && !stream.response_is_head_only()) {
    headers.remove(HeaderName::kContentLength);
    stream.response.framing = http::BodyFraming::kChunked;  // the trailers come behind
  }
  return FilterStatus::kContinue;
}

FilterStatus GrpcWebFilter::on_response_data(Stream& stream, buffer::Slice& data,
                                             bool) const noexcept {
  if (stream.info.grpc_web != GrpcWeb::kText || data.size == 0) {
    return FilterStatus::kContinue;
  }
  buffer::BlockRef block = stream.make_block(http::base64_bytes(data.size));
  char* const begin = block->data();
  const char* const last = http::write_base64(data.view(), begin);
  data = buffer::Slice{std::move(block), begin, static_cast<uint32_t>(last - begin)};
  return FilterStatus::kContinue;
}

}  // namespace hangu::filter
