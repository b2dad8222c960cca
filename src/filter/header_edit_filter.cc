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

}  // namespace

HeaderEditFilter::HeaderEditFilter(const config::HeaderEdit& request,
                                   const config::HeaderEdit& response)
    : request_(compile(request)),
      response_(compile(response)) {}

uint8_t HeaderEditFilter::hooks() const {
  return static_cast<uint8_t>((request_.empty() ? 0 : kRequestHeaders) |
                              (response_.empty() ? 0 : kResponseHeaders));
}

FilterStatus HeaderEditFilter::on_request_headers(Stream& stream) const noexcept {
  apply(request_, stream.request.headers);
  return FilterStatus::kContinue;
}

FilterStatus HeaderEditFilter::on_response_headers(Stream& stream) const noexcept {
  apply(response_, stream.response.headers);
  return FilterStatus::kContinue;
}

HeaderEditFilter::Edit HeaderEditFilter::compile(const config::HeaderEdit& edit) {
  const auto field = [](const std::string& name, const std::string& value) {
    std::string lower = lower_case(name);
    const http::HeaderName token = http::header_name_from(lower);
    return Field{.token = token, .name = std::move(lower), .value = value};
  };
  Edit compiled;
  for (const std::string& name : edit.remove) {
    compiled.remove.push_back(field(name, {}));
  }
  for (const config::HeaderEdit::Field& set : edit.set) {
    compiled.set.push_back(field(set.name, set.value));
  }
  for (const config::HeaderEdit::Field& add : edit.add) {
    compiled.add.push_back(field(add.name, add.value));
  }
  return compiled;
}

void HeaderEditFilter::apply(const Edit& edit, http::HeaderBlock& headers) noexcept {
  for (const Field& field : edit.remove) {
    headers.remove(field.token, field.name);
  }
  for (const Field& field : edit.set) {
    headers.set(field.token, field.name, field.value);
  }
  for (const Field& field : edit.add) {
    headers.add(field.token, field.name, field.value);
  }
}

}  // namespace hangu::filter
