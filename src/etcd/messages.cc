#include "etcd/messages.h"

#include <charconv>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "hangu/base/base64.h"

namespace hangu::etcd {
namespace {

namespace json = boost::json;

// gRPC's, as the gateway passes them on.
constexpr int64_t kUnavailable = 14;
constexpr int64_t kUnauthenticated = 16;
constexpr int64_t kPermissionDenied = 7;

std::string encoded(std::string_view bytes) {
  return encode_base64(bytes);
}

const json::value* find(const json::value& object, std::string_view name) {
  const json::object* members = object.if_object();
  return members != nullptr ? members->if_contains(name) : nullptr;
}

int64_t number(const json::value& object, std::string_view name) {
  const json::value* value = find(object, name);
  if (value == nullptr) {
    return 0;
  }
  if (const json::string* text = value->if_string()) {
    int64_t out = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), out);
    return error == std::errc() && end == text->data() + text->size() ? out : 0;
  }
  return value->is_int64() ? value->get_int64() : 0;
}

bool flag(const json::value& object, std::string_view name) {
  const json::value* value = find(object, name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::string text(const json::value& object, std::string_view name) {
  const json::value* value = find(object, name);
  const json::string* found = value != nullptr ? value->if_string() : nullptr;
  return found != nullptr ? std::string(found->data(), found->size()) : std::string();
}

std::string bytes(const json::value& object, std::string_view name) {
  // Padded; the decoder takes both.
  return decode_base64(text(object, name)).value_or("");
}

KeyValue key_value(const json::value& object) {
  return {.key = bytes(object, "key"),
          .value = bytes(object, "value"),
          .mod_revision = number(object, "mod_revision"),
          .lease = number(object, "lease")};
}

Failure<Error> not_json() {
  return {Error{Error::Kind::kOther, "the answer is not what etcd's API says"}};
}

std::optional<json::value> parse_object(std::string_view body) {
  json::error_code error;
  json::value value = json::parse(body, error);
  return error || !value.is_object() ? std::nullopt : std::optional(std::move(value));
}

Error::Kind kind_of(int64_t code, const std::string& message) {
  const auto says = [&message](std::string_view words) {
    return message.find(words) != std::string::npos;
  };
  if (code == kUnavailable || says("no leader") || says("leader changed")) {
    return Error::Kind::kUnreachable;
  }
  if (says("compacted")) {
    return Error::Kind::kCompacted;
  }
  const bool denied = code == kUnauthenticated || code == kPermissionDenied ||
                      says("invalid auth token") || says("authentication failed") ||
                      says("permission denied") || says("user name is empty");
  return denied ? Error::Kind::kDenied : Error::Kind::kOther;
}

int64_t header_revision(const json::value& reply) {
  const json::value* header = find(reply, "header");
  return header != nullptr ? number(*header, "revision") : 0;
}

}  // namespace

std::string range_end(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xff) {
    end.pop_back();
  }
  if (end.empty()) {
    return std::string(1, '\0');
  }
  end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

std::string range_message(const RangeRequest& request, std::string_view from, int64_t limit) {
  json::object message{{"key", encoded(from)}};
  if (request.is_prefix) {
    message["range_end"] = encoded(range_end(request.key));
  }
  if (request.revision != 0) {
    message["revision"] = std::to_string(request.revision);
  }
  if (limit != 0) {
    message["limit"] = std::to_string(limit);
  }
  if (request.keys_only) {
    message["keys_only"] = true;
  }
  if (request.newest_first) {
    message["sort_order"] = "DESCEND";
    message["sort_target"] = "MOD";
  }
  return json::serialize(message);
}

std::string txn_message(const std::vector<Compare>& compares,
                        const std::vector<Operation>& operations) {
  json::array conditions;
  for (const Compare& each : compares) {
    conditions.push_back(json::object{{"key", encoded(each.key)},
                                      {"result", "EQUAL"},
                                      {"target", "MOD"},
                                      {"mod_revision", std::to_string(each.mod_revision)}});
  }
  json::array done;
  for (const Operation& each : operations) {
    if (each.value) {
      json::object put{{"key", encoded(each.key)}, {"value", encoded(*each.value)}};
      if (each.lease != 0) {
        put["lease"] = std::to_string(each.lease);
      }
      done.push_back(json::object{{"request_put", std::move(put)}});
    } else {
      done.push_back(
          json::object{{"request_delete_range", json::object{{"key", encoded(each.key)}}}});
    }
  }
  return json::serialize(
      json::object{{"compare", std::move(conditions)}, {"success", std::move(done)}});
}

std::string watch_message(std::string_view prefix, int64_t revision) {
  return json::serialize(
      json::object{{"create_request", json::object{{"key", encoded(prefix)},
                                                   {"range_end", encoded(range_end(prefix))},
                                                   {"start_revision", std::to_string(revision)},
                                                   {"progress_notify", true}}}});
}

std::string login_message(std::string_view username, std::string_view password) {
  return json::serialize(json::object{{"name", username}, {"password", password}});
}

std::string grant_message(int64_t ttl_seconds) {
  return json::serialize(json::object{{"TTL", std::to_string(ttl_seconds)}});
}

std::string lease_message(int64_t lease) {
  return json::serialize(json::object{{"ID", std::to_string(lease)}});
}

Error read_error(int status, std::string_view body) {
  const auto reply = parse_object(body);
  std::string message = reply ? text(*reply, "error") : std::string();
  if (message.empty() && reply) {
    message = text(*reply, "message");
  }
  const Error::Kind kind = kind_of(reply ? number(*reply, "code") : 0, message);
  if (message.empty()) {
    message = fmt::format("it answered with status {}", status);
  }
  return {kind, std::move(message)};
}

Answer<RangePage> read_range(std::string_view body) {
  const auto reply = parse_object(body);
  if (!reply) {
    return not_json();
  }
  RangePage page;
  page.answer.revision = header_revision(*reply);
  page.answer.count = number(*reply, "count");
  page.more = flag(*reply, "more");
  const json::value* keys = find(*reply, "kvs");
  if (keys != nullptr && keys->is_array()) {
    for (const json::value& each : keys->get_array()) {
      page.answer.keys.push_back(key_value(each));
    }
  }
  return page;
}

Answer<TxnAnswer> read_txn(std::string_view body) {
  const auto reply = parse_object(body);
  if (!reply) {
    return not_json();
  }
  return TxnAnswer{flag(*reply, "succeeded"), header_revision(*reply)};
}

Answer<int64_t> read_lease(std::string_view body) {
  const auto reply = parse_object(body);
  const int64_t lease = reply ? number(*reply, "ID") : 0;
  if (lease == 0) {
    return not_json();
  }
  return lease;
}

Answer<bool> read_kept_alive(std::string_view body) {
  const auto reply = parse_object(body);
  const json::value* result = reply ? find(*reply, "result") : nullptr;
  if (result == nullptr) {
    return not_json();
  }
  return number(*result, "TTL") > 0;
}

std::variant<WatchNews, Error> read_watch_line(std::string_view line) {
  const auto whole = parse_object(line);
  if (!whole) {
    return not_json().error;
  }
  const json::value* result = find(*whole, "result");
  if (result == nullptr) {
    const json::value* error = find(*whole, "error");
    if (error == nullptr || !error->is_object()) {
      return read_error(0, line);
    }
    const std::string message = text(*error, "message");
    return Error{kind_of(number(*error, "grpc_code"), message), message};
  }
  if (flag(*result, "canceled")) {
    const int64_t compacted = number(*result, "compact_revision");
    const std::string reason = text(*result, "cancel_reason");
    return compacted != 0
               ? Error{Error::Kind::kCompacted,
                       fmt::format("what was before revision {} is gone", compacted)}
               : Error{kind_of(0, reason), reason.empty() ? "the watch was cancelled" : reason};
  }
  WatchNews news;
  news.revision = header_revision(*result);
  const json::value* events = find(*result, "events");
  if (events != nullptr && events->is_array()) {
    for (const json::value& each : events->get_array()) {
      const json::value* kv = find(each, "kv");
      if (kv != nullptr) {
        news.events.push_back({key_value(*kv), text(each, "type") == "DELETE"});
      }
    }
  }
  return news;
}

Answer<std::string> read_token(std::string_view body) {
  const auto reply = parse_object(body);
  if (!reply) {
    return not_json();
  }
  return text(*reply, "token");
}

}  // namespace hangu::etcd
