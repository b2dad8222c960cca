#include "hangu/openapi/document.h"

#include <algorithm>
#include <utility>

#include <boost/json/monotonic_resource.hpp>

#include "hangu/base/letter_case.h"

#include "openapi/document_compiler.h"
#include "openapi/json_text.h"
#include "openapi/operation.h"
#include "openapi/parameters.h"
#include "openapi/validator.h"

namespace hangu::openapi {
namespace {

namespace json = boost::json;

/// Without its parameters, in lower case.
std::string essence(std::string_view content_type) {
  content_type = content_type.substr(0, content_type.find(';'));
  while (content_type.ends_with(' ') || content_type.ends_with('\t')) {
    content_type.remove_suffix(1);
  }
  std::string text(content_type);
  std::transform(text.begin(), text.end(), text.begin(), to_lower);
  return text;
}

bool is_json(std::string_view type) {
  return type == "application/json" || type.ends_with("+json");
}

bool is_in(std::string_view type, std::string_view range) {
  if (range == "*/*") {
    return true;
  }
  return range.ends_with("/*") ? type.starts_with(range.substr(0, range.size() - 1))
                               : type == range;
}

const MediaType* media_of(const Operation& operation, std::string_view type) {
  const auto found =
      std::find_if(operation.media_types.begin(), operation.media_types.end(),
                   [type](const MediaType& media) { return is_in(type, media.range); });
  return found != operation.media_types.end() ? &*found : nullptr;
}

}  // namespace

struct Document::Parts : DocumentParts {};

std::string_view to_string(Place place) noexcept {
  switch (place) {
    case Place::kPath: return "path";
    case Place::kQuery: return "query";
    case Place::kHeader: return "header";
    case Place::kCookie: return "cookie";
    case Place::kBody: return "body";
  }
  return "";
}

Document::Document(std::unique_ptr<const Parts> parts)
    : parts_(std::move(parts)) {}

Document::~Document() = default;

Result<std::shared_ptr<const Document>, std::vector<Fault>> Document::compile(
    std::string_view text) {
  std::vector<Fault> faults;
  const auto root = parse_json(text);
  if (!root) {
    faults.push_back({.pointer = "", .message = root.error()});
    return Failure<std::vector<Fault>>{std::move(faults)};
  }
  auto parts = std::make_unique<Parts>();
  static_cast<DocumentParts&>(*parts) = DocumentCompiler(*root, faults).compile();
  if (!faults.empty()) {
    return Failure<std::vector<Fault>>{std::move(faults)};
  }

  struct Made final : Document {
    explicit Made(std::unique_ptr<const Parts> made)
        : Document(std::move(made)) {}
  };

  return std::shared_ptr<const Document>(std::make_shared<const Made>(std::move(parts)));
}

const std::string& Document::base_path() const {
  return parts_->base_path;
}

size_t Document::operations() const {
  return parts_->operations.size();
}

Document::Found Document::find(std::string_view method, std::string_view path) const noexcept {
  Found found;
  const uint32_t number = parts_->paths.find(path, found.captures);
  if (number == PathTree::kNone) {
    return found;
  }
  const PathItem& item = parts_->items[number];
  found.path_known = true;
  found.allow = item.allow;
  for (const uint32_t index : item.operations) {
    if (parts_->operations[index].method == method) {
      found.operation = &parts_->operations[index];
    }
  }
  return found;
}

std::string_view Document::name_of(const Operation& operation) noexcept {
  return operation.name;
}

bool Document::needs_body(const Operation& operation) noexcept {
  return operation.body_required;
}

Document::BodyCheck Document::body_check(const Operation& operation,
                                         std::string_view content_type) noexcept {
  if (!operation.has_body) {
    return BodyCheck::kUnexpected;
  }
  const std::string type = essence(content_type);
  const MediaType* const media = media_of(operation, type);
  if (media == nullptr) {
    return BodyCheck::kUnknownType;
  }
  return is_json(type) ? BodyCheck::kJson : BodyCheck::kUnchecked;
}

void Document::check_parameters(const Found& found, const ParameterSource& source,
                                Problems& problems) const {
  for (const Parameter& parameter : found.operation->parameters) {
    if (problems.full()) {
      return;
    }
    check_parameter(parameter, found, source, parts_->schemas, problems);
  }
}

void Document::check_body(const Operation& operation, std::string_view content_type,
                          std::string_view text, Problems& problems) const {
  json::monotonic_resource memory;
  const auto value = parse_json(text, &memory);
  if (!value) {
    problems.add({.place = Place::kBody, .name = "", .pointer = "", .expected = value.error()});
    return;
  }
  const MediaType* const media = media_of(operation, essence(content_type));
  if (media != nullptr && media->schema != kNoSchema) {
    Validator(parts_->schemas, Place::kBody, "", problems).check(*value, media->schema);
  }
}

}  // namespace hangu::openapi
