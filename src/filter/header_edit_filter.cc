#include "hangu/filter/header_edit_filter.h"

#include <string_view>
#include <utility>

#include "hangu/base/letter_case.h"
#include "hangu/filter/stream.h"

namespace hangu::filter {
namespace {

/// The loader has tried it.
config::TextTemplate template_of(const config::HeaderEdit::Field& field) {
  if (!field.literal) {
    if (auto parsed = config::TextTemplate::parse(field.value)) {
      return std::move(*parsed);
    }
  }
  return config::TextTemplate::literal(field.value);
}

/// Of what is the same for all requests; otherwise empty.
std::string_view fixed_value(const config::TextTemplate& text) {
  return text.has_variables() || text.pieces.empty() ? std::string_view{} : text.pieces[0].text;
}

size_t line_bytes(const std::vector<config::HeaderEdit::Field>& fields) {
  size_t bytes = 0;
  for (const config::HeaderEdit::Field& field : fields) {
    bytes += field.name.size() + field.value.size() + 4;
  }
  return bytes;
}

/// The line stands at the end of `lines`, whose capacity is enough.
http::Header add_line(std::vector<char>& lines, std::string_view name, std::string_view value) {
  const char* const line = lines.data() + lines.size();
  const std::string_view parts[] = {name, ": ", value, "\r\n"};
  for (const std::string_view part : parts) {
    lines.insert(lines.end(), part.begin(), part.end());
  }
  return {.name_data = line,
          .value_data = line + name.size() + 2,
          .value_size = static_cast<uint32_t>(value.size()),
          .name_size = static_cast<uint16_t>(name.size()),
          .token = http::header_name_from(name),
          .flags = http::Header::kLine};
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
  std::vector<config::HeaderEdit::Field> removed;
  for (const std::string& name : edit.remove) {
    removed.push_back({.name = name, .value = {}});
  }
  Edit compiled;
  compiled.lines.reserve(line_bytes(edit.set) + line_bytes(edit.set_if_absent) +
                         line_bytes(edit.add) + line_bytes(removed));
  const auto compile_all = [&compiled](const std::vector<config::HeaderEdit::Field>& fields) {
    std::vector<Field> all;
    for (const config::HeaderEdit::Field& field : fields) {
      const config::TextTemplate text = template_of(field);
      Field& added = all.emplace_back();
      added.ready = add_line(compiled.lines, lower_case(field.name), fixed_value(text));
      if (text.has_variables()) {
        added.text.emplace(text);
      }
    }
    return all;
  };
  compiled.set = compile_all(edit.set);
  compiled.set_if_absent = compile_all(edit.set_if_absent);
  compiled.add = compile_all(edit.add);
  compiled.remove = compile_all(removed);
  return compiled;
}

void HeaderEditFilter::apply(const Edit& edit, Stream& stream,
                             http::HeaderBlock& headers) noexcept {
  for (const Field& field : edit.remove) {
    headers.remove(field.ready.token, field.ready.name());
  }
  for (const Field& field : edit.set) {
    headers.set(field.of(stream));
  }
  for (const Field& field : edit.set_if_absent) {
    if (headers.find(field.ready.token, field.ready.name()) == nullptr) {
      headers.append(field.of(stream));
    }
  }
  for (const Field& field : edit.add) {
    headers.append(field.of(stream));
  }
}

http::Header HeaderEditFilter::Field::of(Stream& stream) const noexcept {
  if (!text) {
    return ready;
  }
  http::Header header = ready;
  const std::string_view value = text->of(stream);
  header.value_data = value.data();
  header.value_size = static_cast<uint32_t>(value.size());
  header.flags = 0;
  return header;
}

}  // namespace hangu::filter
