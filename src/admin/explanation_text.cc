// The JSON of explain() for people. It may come from another process, so what is missing reads as
// empty.
#include <boost/json.hpp>
#include <fmt/format.h>

#include "hangu/admin/explain.h"

namespace hangu::admin {
namespace {

namespace json = boost::json;

const json::object& object_at(const json::object& from, std::string_view key) {
  static const json::object kEmpty;
  const json::value* value = from.if_contains(key);
  return value != nullptr && value->is_object() ? value->get_object() : kEmpty;
}

const json::array& array_at(const json::object& from, std::string_view key) {
  static const json::array kEmpty;
  const json::value* value = from.if_contains(key);
  return value != nullptr && value->is_array() ? value->get_array() : kEmpty;
}

std::string text_at(const json::object& from, std::string_view key) {
  const json::value* value = from.if_contains(key);
  if (value == nullptr) {
    return {};
  }
  return value->is_string() ? std::string(std::string_view(value->get_string()))
                            : json::serialize(*value);
}

bool flag_at(const json::object& from, std::string_view key) {
  const json::value* value = from.if_contains(key);
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::string joined(const json::array& list, std::string_view separator = ", ") {
  std::string out;
  for (const json::value& each : list) {
    out += out.empty() ? "" : separator;
    out +=
        each.is_string() ? std::string(std::string_view(each.get_string())) : json::serialize(each);
  }
  return out;
}

class Printer {
 public:
  Printer(const json::object& explanation, bool color)
      : from_(explanation),
        bold_(color ? "\033[1m" : ""),
        green_(color ? "\033[32m" : ""),
        red_(color ? "\033[31m" : ""),
        dim_(color ? "\033[2m" : ""),
        off_(color ? "\033[0m" : "") {}

  std::string print() {
    request();
    candidates();
    reply();
    route();
    return std::move(out_);
  }

 private:
  void line(std::string_view label, std::string_view text) {
    out_ += fmt::format("{:<12} {}\n", label, text);
  }

  void request() {
    const json::object& request = object_at(from_, "request");
    out_ += fmt::format("{}{} {}{}\n", bold_, text_at(request, "method"), text_at(request, "path"),
                        off_);
    line("host", text_at(request, "host"));
    const std::string normalised = text_at(request, "normalised_path");
    if (!normalised.empty() && normalised != text_at(request, "path")) {
      line("routed as", normalised);
    }
    line("listener", text_at(request, "listener"));
  }

  void candidates() {
    if (array_at(from_, "candidates").empty()) {
      return;
    }
    out_ += fmt::format("\n{}routes, in the order they are tried{}\n", bold_, off_);
    for (const json::value& each : array_at(from_, "candidates")) {
      if (!each.is_object()) {
        continue;
      }
      const json::object& candidate = each.get_object();
      const bool chosen = flag_at(candidate, "chosen");
      const std::string_view color = chosen                          ? green_
                                     : flag_at(candidate, "matched") ? std::string_view()
                                                                     : dim_;
      out_ += fmt::format("{} {} {:<20} {}{}\n", color, chosen ? ">" : " ",
                          text_at(candidate, "route"), text_at(candidate, "reason"), off_);
    }
  }

  void reply() {
    const json::object& reply = object_at(from_, "reply");
    if (reply.empty()) {
      return;
    }
    out_ += fmt::format("\n{}answer       {} {}{}: {}\n", red_, text_at(reply, "status"),
                        text_at(reply, "code"), off_, text_at(reply, "detail"));
  }

  void route() {
    if (from_.if_contains("route") == nullptr) {
      return;
    }
    const json::object& upstream = object_at(from_, "upstream");
    const json::object& limits = object_at(from_, "limits");
    const json::object& forwarded = object_at(from_, "forwarded");
    out_ += fmt::format("\n{}route        {}{}\n", green_, text_at(from_, "route"), off_);
    for (const auto& capture : object_at(from_, "captures")) {
      line("captured", fmt::format("{} = {}", std::string_view(capture.key()),
                                   text_at(object_at(from_, "captures"), capture.key())));
    }
    for (const json::value& each : array_at(from_, "rate_limits")) {
      const json::object& limit = each.as_object();
      line("rate limit",
           fmt::format("{}: {} by {}, {} scope", text_at(limit, "name"), text_at(limit, "limit"),
                       joined(array_at(limit, "key")), text_at(limit, "scope")));
    }
    for (const json::value& action : array_at(from_, "actions")) {
      line(text_at(action.as_object(), "action"), text_at(action.as_object(), "does"));
    }
    if (const std::string at_once = joined(array_at(from_, "concurrency_limits"));
        !at_once.empty()) {
      line("at once", at_once);
    }
    if (const std::string pace = joined(array_at(from_, "bandwidth_limits")); !pace.empty()) {
      line("bandwidth", pace);
    }
    if (const std::string priority = text_at(from_, "priority");
        !priority.empty() && priority != "normal") {
      line("priority", priority);
    }
    for (const json::value& share : array_at(from_, "split")) {
      line("split",
           fmt::format("{} to {}{}", text_at(share.as_object(), "weight"),
                       text_at(share.as_object(), "upstream"), version_at(share.as_object())));
    }
    if (const json::object& release = object_at(from_, "release"); !release.empty()) {
      line("release", fmt::format("{} gets {}, {}", text_at(release, "upstream"),
                                  text_at(release, "share"), text_at(release, "state")));
    }
    if (const json::object& choice = object_at(from_, "split_choice"); !choice.empty()) {
      const std::string chosen = text_at(choice, "upstream");
      line("goes to", fmt::format("{}{}{}{}", chosen, version_at(choice),
                                  chosen.empty() ? "" : ": ", text_at(choice, "reason")));
    }
    if (upstream.empty()) {
      return;
    }
    const std::string endpoints = joined(array_at(upstream, "endpoints"));
    line("upstream", fmt::format("{} ({})", text_at(upstream, "name"),
                                 endpoints.empty() ? "no endpoint: 503 upstream.none" : endpoints));
    line("forwarded",
         fmt::format("path {}, host {}{}", text_at(forwarded, "path"), text_at(forwarded, "host"),
                     flag_at(forwarded, "upgrade") ? ", upgrade let through" : ""));
    line("timeouts", fmt::format("connect {}, response {}, stream idle {}, tunnel idle {}",
                                 text_at(upstream, "connect_timeout"), text_at(limits, "timeout"),
                                 text_at(limits, "stream_idle_timeout"),
                                 text_at(limits, "tunnel_idle_timeout")));
    if (const std::string set = joined(array_at(upstream, "resilience")); !set.empty()) {
      line("protection", set);
    }
    if (flag_at(from_, "circuit_breaker")) {
      line("route has", "a circuit breaker of its own");
    }
    line("body", fmt::format("at most {}", text_at(limits, "body_max")));
    edits("request", object_at(from_, "request_headers"));
    edits("response", object_at(from_, "response_headers"));
  }

  /// " (2.1)"; nothing where there is no version.
  static std::string version_at(const json::object& share) {
    const std::string version = text_at(share, "version");
    return version.empty() ? "" : fmt::format(" ({})", version);
  }

  void edits(std::string_view which, const json::object& edit) {
    for (const json::value& name : array_at(edit, "remove")) {
      line(which,
           fmt::format("remove {}", name.is_string() ? std::string_view(name.get_string()) : ""));
    }
    for (const char* verb : {"set", "set_if_absent", "add"}) {
      for (const json::value& each : array_at(edit, verb)) {
        if (each.is_object()) {
          line(which, fmt::format("{} {}: {}", verb, text_at(each.get_object(), "name"),
                                  text_at(each.get_object(), "value")));
        }
      }
    }
  }

  const json::object& from_;
  std::string_view bold_, green_, red_, dim_, off_;
  std::string out_;
};

}  // namespace

std::string explanation_text(const json::object& explanation, bool color) {
  return Printer(explanation, color).print();
}

}  // namespace hangu::admin
