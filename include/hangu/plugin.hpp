// C++20 on top of hangu/plugin.h, header only: a policy is a class, and the phases that it has
// functions for are those it takes part in. Exceptions end at this border and count as errors.
//
//   class Stamp {
//    public:
//     static constexpr const char* kName = "stamp";
//     static constexpr const char* kVersion = "1.0.0";
//     explicit Stamp(hangu::sdk::Config& config) : header_(config.text("header", "x-stamp")) {}
//     hangu::sdk::Verdict on_request_head(hangu::sdk::Stream& stream) const;
//    private:
//     std::string header_;
//   };
//   HANGU_PLUGIN(Stamp)
//
// Everything is in the plugin's own object file; nothing of it crosses the C interface.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "hangu/plugin.h"

namespace hangu::sdk {

inline hangu_text to_text(std::string_view text) {
  return {text.data() != nullptr ? text.data() : "", text.size()};
}

inline std::string_view to_view(hangu_text text) {
  return text.data != nullptr ? std::string_view(text.data, text.size) : std::string_view();
}

/// A value of JSON. Made of what hangu passes, which is well formed.
class Json {
 public:
  enum class Kind : uint8_t { kNull, kBool, kNumber, kText, kList, kObject };

  Kind kind = Kind::kNull;
  bool boolean = false;
  double number = 0;
  std::string text;
  std::vector<Json> items;         // of a list, or the values of an object
  std::vector<std::string> names;  // of an object: those of its items

  const Json* find(std::string_view name) const {
    for (size_t i = 0; i < names.size(); ++i) {
      if (names[i] == name) {
        return &items[i];
      }
    }
    return nullptr;
  }

  static Json parse(std::string_view text) {
    Parser parser{text};
    return parser.value();
  }

 private:
  struct Parser {
    std::string_view rest;

    void skip() {
      while (!rest.empty() && (rest[0] == ' ' || rest[0] == '\n' || rest[0] == '\t' ||
                               rest[0] == '\r' || rest[0] == ',' || rest[0] == ':')) {
        rest.remove_prefix(1);
      }
    }

    bool take(char c) {
      skip();
      const bool found = !rest.empty() && rest[0] == c;
      rest.remove_prefix(found ? 1 : 0);
      return found;
    }

    Json word(size_t length, Kind kind, bool value) {
      rest.remove_prefix(std::min(length, rest.size()));
      Json out;
      out.kind = kind;
      out.boolean = value;
      return out;
    }

    Json value() {
      skip();
      Json out;
      if (rest.empty()) {
        return out;
      }
      switch (rest[0]) {
        case '{':
          out.kind = Kind::kObject;
          rest.remove_prefix(1);
          while (!take('}') && !rest.empty()) {
            out.names.push_back(string());
            out.items.push_back(value());
          }
          return out;
        case '[':
          out.kind = Kind::kList;
          rest.remove_prefix(1);
          while (!take(']') && !rest.empty()) {
            out.items.push_back(value());
          }
          return out;
        case '"':
          out.kind = Kind::kText;
          out.text = string();
          return out;
        case 't': return word(4, Kind::kBool, true);
        case 'f': return word(5, Kind::kBool, false);
        case 'n': return word(4, Kind::kNull, false);
        default: break;
      }
      out.kind = Kind::kNumber;
      const char* const end = rest.data() + rest.size();
      const auto [stop, error] = std::from_chars(rest.data(), end, out.number);
      const auto length = static_cast<size_t>(stop - rest.data());
      rest.remove_prefix(length != 0 && error == std::errc() ? length : 1);
      return out;
    }

    void append_code_point(std::string& out, uint32_t code) {
      if (code < 0x80) {
        out += static_cast<char>(code);
      } else if (code < 0x800) {
        out += static_cast<char>(0xc0 | code >> 6);
        out += static_cast<char>(0x80 | (code & 0x3f));
      } else {
        out += static_cast<char>(0xe0 | code >> 12);
        out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
        out += static_cast<char>(0x80 | (code & 0x3f));
      }
    }

    std::string string() {
      std::string out;
      take('"');
      while (!rest.empty() && rest[0] != '"') {
        if (rest[0] != '\\' || rest.size() < 2) {
          out += rest[0];
          rest.remove_prefix(1);
          continue;
        }
        const char escaped = rest[1];
        rest.remove_prefix(2);
        switch (escaped) {
          case 'n': out += '\n'; break;
          case 't': out += '\t'; break;
          case 'r': out += '\r'; break;
          case 'b': out += '\b'; break;
          case 'f': out += '\f'; break;
          case 'u': {
            uint32_t code = 0;
            const size_t digits = std::min<size_t>(4, rest.size());
            std::from_chars(rest.data(), rest.data() + digits, code, 16);
            rest.remove_prefix(digits);
            append_code_point(out, code);
            break;
          }
          default: out += escaped; break;
        }
      }
      rest.remove_prefix(rest.empty() ? 0 : 1);
      return out;
    }
  };
};

/// What a use of the plugin is told. Each reader names a key, its default where it may be left out,
/// and reports what is wrong with it; a key that no reader named is reported, too.
class Config {
 public:
  Config(hangu_text json, const hangu_host& host, hangu_problems* problems)
      : root_(Json::parse(to_view(json))),
        host_(host),
        problems_(problems) {}

  const hangu_host& host() const { return host_; }

  const Json& root() const { return root_; }

  std::string text(std::string_view key, std::string_view otherwise) {
    const Json* value = of_kind(key, Json::Kind::kText, "a text");
    return value != nullptr ? value->text : std::string(otherwise);
  }

  std::string required_text(std::string_view key) {
    const Json* value = of_kind(key, Json::Kind::kText, "a text");
    if (value == nullptr && root_.find(key) == nullptr) {
      problem("", "lacks the key \"" + std::string(key) + "\"");
    }
    return value != nullptr ? value->text : std::string();
  }

  int64_t integer(std::string_view key, int64_t otherwise, int64_t least, int64_t most) {
    const Json* value = of_kind(key, Json::Kind::kNumber, "a number");
    if (value == nullptr) {
      return otherwise;
    }
    const bool in_range =
        value->number >= static_cast<double>(least) && value->number <= static_cast<double>(most);
    const auto whole = in_range ? static_cast<int64_t>(value->number) : least;
    if (!in_range || static_cast<double>(whole) != value->number) {
      problem("/" + std::string(key), "must be a whole number from " + std::to_string(least) +
                                          " to " + std::to_string(most));
      return otherwise;
    }
    return whole;
  }

  bool boolean(std::string_view key, bool otherwise) {
    const Json* value = of_kind(key, Json::Kind::kBool, "true or false");
    return value != nullptr ? value->boolean : otherwise;
  }

  std::vector<std::string> texts(std::string_view key) {
    std::vector<std::string> out;
    const Json* value = of_kind(key, Json::Kind::kList, "a list of texts");
    for (size_t i = 0; value != nullptr && i < value->items.size(); ++i) {
      if (value->items[i].kind != Json::Kind::kText) {
        problem("/" + std::string(key) + "/" + std::to_string(i), "must be a text");
      }
      out.push_back(value->items[i].text);
    }
    return out;
  }

  /// `pointer`: a JSON pointer, "" for the whole.
  void problem(std::string_view pointer, std::string_view message) {
    ++problem_count_;
    host_.problem(problems_, to_text(pointer), to_text(message));
  }

  /// Reports the keys that nobody asked for. Whether all was well.
  bool finish() {
    for (const std::string& key : root_.names) {
      bool known = false;
      for (const std::string& each : known_) {
        known = known || each == key;
      }
      if (!known) {
        problem("/" + key, "unknown key \"" + key + "\"");
      }
    }
    return problem_count_ == 0;
  }

 private:
  const Json* of_kind(std::string_view key, Json::Kind kind, std::string_view what) {
    known_.emplace_back(key);
    const Json* value = root_.find(key);
    if (value != nullptr && value->kind != kind) {
      problem("/" + std::string(key), "must be " + std::string(what));
      return nullptr;
    }
    return value;
  }

  Json root_;
  const hangu_host& host_;
  hangu_problems* problems_;
  std::vector<std::string> known_;
  size_t problem_count_ = 0;
};

/// What a phase answers.
class Verdict {
 public:
  static Verdict go_on() { return Verdict(HANGU_OK); }

  static Verdict replied() { return Verdict(HANGU_REPLIED); }

  static Verdict error() { return Verdict(HANGU_ERROR); }

  int answer() const { return answer_; }

 private:
  explicit Verdict(int answer)
      : answer_(answer) {}

  int answer_;
};

struct Reply {
  int status = 403;
  std::string_view code = "plugin.refused";
  std::string_view detail = {};
  std::string_view content_type = {};
  std::string_view body = {};
  std::vector<hangu_field> fields = {};
};

/// The request and response that a phase is about; valid until the phase returns.
class Stream {
 public:
  Stream(const hangu_host& host, hangu_stream* stream)
      : host_(host),
        stream_(stream) {}

  std::string_view text(hangu_text_fact fact) const { return to_view(host_.text(stream_, fact)); }

  int64_t number(hangu_number_fact fact) const { return host_.number(stream_, fact); }

  /// Empty: there is none, or an empty one.
  std::string_view header(hangu_message message, std::string_view name) const {
    return to_view(host_.header(stream_, message, to_text(name)));
  }

  bool set_header(hangu_message message, std::string_view name, std::string_view value) {
    return host_.set_header(stream_, message, to_text(name), to_text(value)) == HANGU_OK;
  }

  bool add_header(hangu_message message, std::string_view name, std::string_view value) {
    return host_.add_header(stream_, message, to_text(name), to_text(value)) == HANGU_OK;
  }

  bool remove_header(hangu_message message, std::string_view name) {
    return host_.remove_header(stream_, message, to_text(name)) == HANGU_OK;
  }

  bool change_body(hangu_message message) {
    return host_.change_body(stream_, message) == HANGU_OK;
  }

  bool replace_body(std::string_view bytes) {
    return host_.replace_body(stream_, to_text(bytes)) == HANGU_OK;
  }

  /// `return stream.reply({.status = 403, .code = "stamp.missing"});`
  Verdict reply(const Reply& reply) {
    const hangu_reply out{sizeof(hangu_reply),         reply.status,
                          to_text(reply.code),         to_text(reply.detail),
                          to_text(reply.content_type), to_text(reply.body),
                          reply.fields.data(),         reply.fields.size()};
    const int done = host_.reply(stream_, &out);
    return done == HANGU_OK            ? Verdict::replied()
           : done == HANGU_UNAVAILABLE ? Verdict::go_on()
                                       : Verdict::error();
  }

  /// One object for each stream, made at first; no destructor of it runs.
  template <class T>
  T* state() {
    static_assert(std::is_trivially_destructible_v<T>, "the stream's memory simply goes");
    if (void* known = host_.state(stream_)) {
      return static_cast<T*>(known);
    }
    void* memory = host_.stream_memory(stream_, sizeof(T));
    if (memory == nullptr || host_.set_state(stream_, memory) != HANGU_OK) {
      return nullptr;
    }
    return std::construct_at(static_cast<T*>(memory));
  }

 private:
  const hangu_host& host_;
  hangu_stream* stream_;
};

/// Behind HANGU_PLUGIN: the functions of the C interface for a class.
template <class Policy>
class Adaptor {
 public:
  static constexpr hangu_plugin descriptor() {
    hangu_plugin plugin{};
    plugin.size = sizeof(hangu_plugin);
    plugin.abi_major = HANGU_PLUGIN_ABI_MAJOR;
    plugin.abi_minor = HANGU_PLUGIN_ABI_MINOR;
    plugin.name = Policy::kName;
    plugin.version = Policy::kVersion;
    plugin.configure = configure;
    plugin.release = release;
    if constexpr (requires(const Policy& p, Stream& s) { p.on_request_head(s); }) {
      plugin.phases |= HANGU_PHASE_REQUEST_HEAD;
      plugin.on_request_head = on_request_head;
    }
    if constexpr (requires(const Policy& p, Stream& s) { p.on_request_body(s, "", true); }) {
      plugin.phases |= HANGU_PHASE_REQUEST_BODY;
      plugin.on_request_body = on_request_body;
    }
    if constexpr (requires(const Policy& p, Stream& s) { p.on_response_head(s); }) {
      plugin.phases |= HANGU_PHASE_RESPONSE_HEAD;
      plugin.on_response_head = on_response_head;
    }
    if constexpr (requires(const Policy& p, Stream& s) { p.on_response_body(s, "", true); }) {
      plugin.phases |= HANGU_PHASE_RESPONSE_BODY;
      plugin.on_response_body = on_response_body;
    }
    if constexpr (requires(const Policy& p, Stream& s) { p.on_stream_end(s); }) {
      plugin.phases |= HANGU_PHASE_STREAM_END;
      plugin.on_stream_end = on_stream_end;
    }
    if constexpr (requires(const Policy& p, Stream& s) { p.on_local_reply(s); }) {
      plugin.phases |= HANGU_PHASE_LOCAL_REPLY;
      plugin.on_local_reply = on_local_reply;
    }
    return plugin;
  }

 private:
  struct Use {
    Use(const hangu_host* of, Config& config)
        : host(of),
          policy(config) {}

    const hangu_host* host;
    Policy policy;
  };

  static int configure(const hangu_host* host, hangu_text json, hangu_problems* problems,
                       void** instance) {
    try {
      Config config(json, *host, problems);
      auto use = std::make_unique<Use>(host, config);
      if (!config.finish()) {
        return HANGU_ERROR;
      }
      *instance = use.release();
      return HANGU_OK;
    } catch (const std::exception& error) {
      host->problem(problems, to_text(""), to_text(error.what()));
    } catch (...) {
      host->problem(problems, to_text(""), to_text("an exception of an unknown type"));
    }
    return HANGU_ERROR;
  }

  static void release(void* instance) { std::unique_ptr<Use>(static_cast<Use*>(instance)).reset(); }

  template <class Call>
  static int guarded(void* instance, hangu_stream* stream, Call call) {
    const Use& use = *static_cast<const Use*>(instance);
    try {
      Stream view(*use.host, stream);
      return call(use.policy, view).answer();
    } catch (const std::exception& error) {
      use.host->log(use.host, HANGU_LOG_DEBUG, to_text(error.what()));
    } catch (...) {
      use.host->log(use.host, HANGU_LOG_DEBUG, to_text("an exception of an unknown type"));
    }
    return HANGU_ERROR;
  }

  static int on_request_head(void* instance, hangu_stream* stream) {
    return guarded(instance, stream,
                   [](const Policy& policy, Stream& view) { return policy.on_request_head(view); });
  }

  static int on_request_body(void* instance, hangu_stream* stream, hangu_text piece, int end) {
    return guarded(instance, stream, [&](const Policy& policy, Stream& view) {
      return policy.on_request_body(view, to_view(piece), end != 0);
    });
  }

  static int on_response_head(void* instance, hangu_stream* stream) {
    return guarded(instance, stream, [](const Policy& policy, Stream& view) {
      return policy.on_response_head(view);
    });
  }

  static int on_response_body(void* instance, hangu_stream* stream, hangu_text piece, int end) {
    return guarded(instance, stream, [&](const Policy& policy, Stream& view) {
      return policy.on_response_body(view, to_view(piece), end != 0);
    });
  }

  static void on_stream_end(void* instance, hangu_stream* stream) {
    guarded(instance, stream, [](const Policy& policy, Stream& view) {
      policy.on_stream_end(view);
      return Verdict::go_on();
    });
  }

  static void on_local_reply(void* instance, hangu_stream* stream) {
    guarded(instance, stream, [](const Policy& policy, Stream& view) {
      policy.on_local_reply(view);
      return Verdict::go_on();
    });
  }
};

}  // namespace hangu::sdk

/// At namespace scope, once: the plugin is this class.
#define HANGU_PLUGIN(Policy)                                                  \
  extern "C" HANGU_PLUGIN_EXPORT const hangu_plugin hangu_plugin_descriptor = \
      hangu::sdk::Adaptor<Policy>::descriptor();
