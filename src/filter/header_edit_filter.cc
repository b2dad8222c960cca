#include "hangu/filter/header_edit_filter.h"

#include <algorithm>
#include <cctype>

#include "hangu/filter/stream.h"

namespace hangu::filter {
namespace {

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

/// The loader has tried it.
RequestText text_of(const config::HeaderEdit::Field& field) {
  if (!field.literal) {
    if (const auto parsed = config::TextTemplate::parse(field.value)) {
      return RequestText(*parsed);
    }
  }
  return RequestText(config::TextTemplate::literal(field.value));
}

}  // namespace

HeaderEditFilter::HeaderEditFilter(const config::HeaderEdit& request,
                                   const config::HeaderEdit& response)
    : request_(compile(request)),
      response_(compile(response)) {}

uint8_t HeaderEditFilter::hooks() const {
  return static_cast<uint8_t>((request_.empty() ? 0 : kRequestHeaders) |
                              (response_.empty() ? 0 : kResponseHeaders | kLocalReply));
}

FilterStatus HeaderEditFilter::on_request_headers(Stream& stream) const noexcept {
  apply(request_, stream, stream.request.headers);
  return FilterStatus::kContinue;
}

FilterStatus HeaderEditFilter::on_response_headers(Stream& stream) const noexcept {
  apply(response_, stream, stream.response.headers);
  return FilterStatus::kContinue;
}

/// What caches may keep of an answer must not be said of a refusal in its place.
void HeaderEditFilter::on_local_reply(Stream& stream) const noexcept {
  if (stream.info.code == "route.redirect" || stream.info.code == "route.respond") {
    apply(response_, stream, stream.response.headers);
  }
}

HeaderEditFilter::Edit HeaderEditFilter::compile(const config::HeaderEdit& edit) {
  const auto compile_all = [](const std::vector<config::HeaderEdit::Field>& fields) {
    std::vector<Field> all;
    for (const config::HeaderEdit::Field& field : fields) {
      std::string lower = lower_case(field.name);
      const http::HeaderName token = http::header_name_from(lower);
      all.push_back({.token = token, .name = std::move(lower), .value = text_of(field)});
    }
    return all;
  };
  std::vector<config::HeaderEdit::Field> removed;
  for (const std::string& name : edit.remove) {
    removed.push_back({.name = name, .value = {}});
  }
  return {.remove = compile_all(removed),
          .set = compile_all(edit.set),
          .set_if_absent = compile_all(edit.set_if_absent),
          .add = compile_all(edit.add)};
}

void HeaderEditFilter::apply(const Edit& edit, Stream& stream,
                             http::HeaderBlock& headers) noexcept {
  for (const Field& field : edit.remove) {
    headers.remove(field.token, field.name);
  }
  for (const Field& field : edit.set) {
    headers.set(field.token, field.name, field.value.of(stream));
  }
  for (const Field& field : edit.set_if_absent) {
    if (headers.find(field.token, field.name) == nullptr) {
      headers.add(field.token, field.name, field.value.of(stream));
    }
  }
  for (const Field& field : edit.add) {
    headers.add(field.token, field.name, field.value.of(stream));
  }
}

}  // namespace hangu::filter
