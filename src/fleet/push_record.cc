#include "fleet/push_record.h"

#include <boost/json.hpp>

namespace hangu::fleet {
namespace {

namespace json = boost::json;

json::value optional_text(const std::optional<std::string>& text) {
  return text ? json::value(*text) : json::value(nullptr);
}

std::string text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  const json::string* text = value != nullptr ? value->if_string() : nullptr;
  return text != nullptr ? std::string(text->data(), text->size()) : std::string();
}

std::optional<std::string> optional_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::optional(text_of(object, name))
                                                : std::nullopt;
}

}  // namespace

json::array documents_json(const std::vector<PushedDocument>& documents) {
  json::array out;
  for (const PushedDocument& each : documents) {
    out.push_back(json::object{{"key", each.key},
                               {"before", optional_text(each.before)},
                               {"after", optional_text(each.after)}});
  }
  return out;
}

std::vector<PushedDocument> read_documents(const json::object& object) {
  std::vector<PushedDocument> out;
  const json::value* documents = object.if_contains("documents");
  if (documents != nullptr && documents->is_array()) {
    for (const json::value& each : documents->get_array()) {
      if (const json::object* one = each.if_object()) {
        out.push_back(
            {text_of(*one, "key"), optional_of(*one, "before"), optional_of(*one, "after")});
      }
    }
  }
  return out;
}

std::string to_json(const PushRecord& record) {
  return json::serialize(json::object{{"generation", record.generation},
                                      {"author", record.author},
                                      {"time", record.time},
                                      {"message", record.message},
                                      {"rollout", record.by_rollout},
                                      {"documents", documents_json(record.documents)}});
}

std::optional<PushRecord> read_record_json(std::string_view text) {
  json::error_code error;
  const json::value value = json::parse(text, error);
  const json::object* object = error ? nullptr : value.if_object();
  if (object == nullptr) {
    return std::nullopt;
  }
  PushRecord record;
  if (const json::value* generation = object->if_contains("generation")) {
    json::error_code bad;
    record.generation = generation->to_number<uint64_t>(bad);
  }
  record.author = text_of(*object, "author");
  record.time = text_of(*object, "time");
  record.message = text_of(*object, "message");
  const json::value* by_rollout = object->if_contains("rollout");
  record.by_rollout = by_rollout != nullptr && by_rollout->is_bool() && by_rollout->get_bool();
  record.documents = read_documents(*object);
  return record;
}

}  // namespace hangu::fleet
