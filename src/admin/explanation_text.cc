// The JSON of explain() for people. It may come from another process, so what is missing reads as
// empty.
#include <algorithm>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "hangu/admin/explain.h"
#include "hangu/base/utf8.h"
#include "hangu/base/visible.h"

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
    if (const std::string client = text_at(request, "client"); !client.empty()) {
      line("client", fmt::format("{} ({})", client, text_at(request, "client_source")));
    } else if (const std::string why = text_at(request, "client_source");
               !why.empty() && why != "not said") {
      line("client", why);
    }
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
    if (const std::string location = text_at(reply, "location"); !location.empty()) {
      line("location", location);
    }
    if (const std::string type = text_at(reply, "content_type"); !type.empty()) {
      const std::string file = text_at(reply, "file");
      line("content", fmt::format("{}, {} bytes{}{}", type, text_at(reply, "body_bytes"),
                                  file.empty() ? "" : " of ", file));
    }
    if (const std::string body = text_at(reply, "body"); !body.empty()) {
      line("body", first_line(body));
    }
    if (const std::string seconds = text_at(reply, "retry_after_s"); !seconds.empty()) {
      line("retry after", seconds + "s");
    }
  }

  /// Fit for a terminal.
  static std::string first_line(const std::string& body) {
    constexpr size_t kShownBytes = 60;
    const size_t end = std::min(body.find('\n'), body.size());
    const std::string_view shown = utf8_prefix(std::string_view(body).substr(0, end), kShownBytes);
    const bool whole = shown.size() == body.size() || body.substr(shown.size()) == "\n";
    return visible(shown) + (whole ? "" : " ...");
  }

  void route() {
    if (from_.if_contains("route") == nullptr) {
      return;
    }
    out_ += fmt::format("\n{}route        {}{}\n", green_, text_at(from_, "route"), off_);
    for (const auto& capture : object_at(from_, "captures")) {
      line("captured", fmt::format("{} = {}", std::string_view(capture.key()),
                                   text_at(object_at(from_, "captures"), capture.key())));
    }
    rules();
    split();
    destination();
    edits("request", object_at(from_, "request_headers"));
    edits("response", object_at(from_, "response_headers"));
  }

  /// What the route asks of everybody.
  void rules() {
    for (const json::value& each : array_at(from_, "rate_limits")) {
      const json::object& limit = each.as_object();
      const std::string burst = text_at(limit, "burst");
      line("rate limit",
           fmt::format("{}: {} by {}, {} scope{}{}{}{}", text_at(limit, "name"),
                       text_at(limit, "limit"), joined(array_at(limit, "key")),
                       text_at(limit, "scope"), burst.empty() ? "" : ", burst ", burst,
                       text_at(limit, "about"),
                       text_at(limit, "mode") == "shadow" ? " (shadow: only logged)" : ""));
    }
    list(from_, "actions", "action");
    verdict();
    if (const std::string priority = text_at(from_, "priority");
        !priority.empty() && priority != "normal") {
      line("priority", priority);
    }
  }

  /// A list of {`key`: "cors", "does": "..."}.
  void list(const json::object& from, std::string_view name, std::string_view key) {
    for (const json::value& each : array_at(from, name)) {
      if (each.is_object()) {
        line(text_at(each.get_object(), key), text_at(each.get_object(), "does"));
      }
    }
  }

  /// What the `clients` of the route say of this one.
  void verdict() {
    const json::object& verdict = object_at(from_, "client_verdict");
    if (verdict.empty()) {
      return;
    }
    const bool passes = flag_at(verdict, "passes");
    const std::string entry = text_at(verdict, "entry");
    const std::string_view otherwise =
        passes ? "in no network of `clients.deny`" : "in no network of `clients.allow`";
    line("this client", fmt::format("{}, {}", passes ? "may ask" : "may not ask",
                                    entry.empty() ? std::string(otherwise)
                                                  : fmt::format("in {} of `clients.{}`", entry,
                                                                text_at(verdict, "rule"))));
  }

  void split() {
    for (const json::value& share : array_at(from_, "split")) {
      line("split",
           fmt::format("{} to {}{}", text_at(share.as_object(), "weight"),
                       text_at(share.as_object(), "upstream"), version_at(share.as_object())));
    }
    if (const json::object& release = object_at(from_, "release"); !release.empty()) {
      const std::string guard = text_at(release, "guard");
      line("release", fmt::format("{} gets {}, {}{}{}", text_at(release, "upstream"),
                                  text_at(release, "share"), text_at(release, "state"),
                                  guard.empty() ? "" : "; ", guard));
    }
    if (const json::object& choice = object_at(from_, "split_choice"); !choice.empty()) {
      const std::string chosen = text_at(choice, "upstream");
      line("goes to", fmt::format("{}{}{}{}", chosen, version_at(choice),
                                  chosen.empty() ? "" : ": ", text_at(choice, "reason")));
    }
  }

  void destination() {
    const json::object& upstream = object_at(from_, "upstream");
    const json::object& limits = object_at(from_, "limits");
    const json::object& forwarded = object_at(from_, "forwarded");
    if (!upstream.empty()) {
      const std::string endpoints = joined(array_at(upstream, "endpoints"));
      line("upstream",
           fmt::format("{} ({})", text_at(upstream, "name"),
                       endpoints.empty() ? "no endpoint: 503 upstream.none" : endpoints));
      list(upstream, "policies", "policy");
    }
    if (!forwarded.empty()) {
      line("forwarded",
           fmt::format("path {}, host {}{}", text_at(forwarded, "path"), text_at(forwarded, "host"),
                       flag_at(forwarded, "upgrade") ? ", upgrade let through" : ""));
    }
    if (limits.empty()) {
      return;
    }
    const std::string connect = text_at(upstream, "connect_timeout");
    line("timeouts",
         fmt::format("{}{}{}response {}, stream idle {}, tunnel idle {}",
                     connect.empty() ? "" : "connect ", connect, connect.empty() ? "" : ", ",
                     text_at(limits, "timeout"), text_at(limits, "stream_idle_timeout"),
                     text_at(limits, "tunnel_idle_timeout")));
    line("body", fmt::format("at most {}{}{}", text_at(limits, "body_max"),
                             beyond(limits, "response_body_max", "the response's"),
                             beyond(limits, "headers_max", "the head of the request")));
  }

  /// ", the response's 1MiB"; nothing without a limit.
  static std::string beyond(const json::object& limits, std::string_view key,
                            std::string_view what) {
    const std::string limit = text_at(limits, key);
    return limit.empty() || limit == "none" ? "" : fmt::format(", {} {}", what, limit);
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
