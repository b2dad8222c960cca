// For the tests of plugins: plays hangu towards the plugin that is linked into the test program, on
// one request and response that live in memory. What the real one checks (header names, phases) it
// checks only as far as a test of a plugin cares.
#pragma once

#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hangu/plugin.h"
#include "hangu/plugin.hpp"

struct hangu_problems {
  std::vector<std::pair<std::string, std::string>> all;  // pointer, message
};

struct hangu_stream {
  using Fields = std::vector<std::pair<std::string, std::string>>;

  std::map<int, std::string> texts;
  std::map<int, int64_t> numbers;
  Fields fields[2];  // by hangu_message
  std::string body;  // that the last body phase has made of the piece
  int reply_status = 0;
  std::string reply_code;
  std::vector<std::unique_ptr<char[]>> memory;
  void* state = nullptr;
};

namespace hangu::sdk {

class TestHost {
 public:
  using Problems = std::vector<std::pair<std::string, std::string>>;

  explicit TestHost(const hangu_plugin& plugin)
      : plugin_(plugin),
        host_(functions()) {
    if (plugin_.initialise != nullptr && plugin_.initialise(&host_) != HANGU_OK) {
      std::abort();
    }
    new_request("GET", "/");
  }

  ~TestHost() { release(); }

  TestHost(const TestHost&) = delete;
  TestHost& operator=(const TestHost&) = delete;

  /// What is wrong with the config: pairs of JSON pointer and message.
  Problems configure(std::string_view json) {
    release();
    hangu_problems problems;
    configured_ = plugin_.configure(&host_, to_text(json), &problems, &instance_) == HANGU_OK;
    return problems.all;
  }

  void new_request(std::string method, std::string path) {
    stream_ = {};
    stream_.texts[HANGU_TEXT_METHOD] = std::move(method);
    stream_.texts[HANGU_TEXT_PATH] = std::move(path);
  }

  hangu_stream& stream() { return stream_; }

  /// The first field of that name (lower case), or an empty text.
  std::string header(hangu_message message, std::string_view name) const {
    for (const auto& [key, value] : stream_.fields[message]) {
      if (key == name) {
        return value;
      }
    }
    return {};
  }

  int request_head() { return plugin_.on_request_head(instance_, &stream_); }

  int request_body(std::string_view piece, bool end) {
    stream_.body = piece;
    return plugin_.on_request_body(instance_, &stream_, to_text(piece), end ? 1 : 0);
  }

  int response_head(int status) {
    stream_.numbers[HANGU_NUMBER_STATUS] = status;
    return plugin_.on_response_head(instance_, &stream_);
  }

  int response_body(std::string_view piece, bool end) {
    stream_.body = piece;
    return plugin_.on_response_body(instance_, &stream_, to_text(piece), end ? 1 : 0);
  }

 private:
  void release() {
    if (std::exchange(configured_, false) && plugin_.release != nullptr) {
      plugin_.release(instance_);
    }
  }

  static hangu_host functions() {
    hangu_host host{};
    host.size = sizeof(hangu_host);
    host.abi_major = HANGU_PLUGIN_ABI_MAJOR;
    host.abi_minor = HANGU_PLUGIN_ABI_MINOR;
    host.workers = 1;
    host.version = to_text("test");
    host.allocate = [](const hangu_host*, size_t bytes) { return std::malloc(bytes); };
    host.deallocate = [](const hangu_host*, void* memory) { std::free(memory); };
    host.log = [](const hangu_host*, int, hangu_text) {};
    host.problem = [](hangu_problems* problems, hangu_text pointer, hangu_text message) {
      problems->all.emplace_back(to_view(pointer), to_view(message));
    };
    add_facts(host);
    add_edits(host);
    return host;
  }

  static void add_facts(hangu_host& host) {
    host.text = [](const hangu_stream* stream, hangu_text_fact fact) {
      const auto found = stream->texts.find(fact);
      return found != stream->texts.end() ? to_text(found->second) : hangu_text{nullptr, 0};
    };
    host.number = [](const hangu_stream* stream, hangu_number_fact fact) {
      const auto found = stream->numbers.find(fact);
      return found != stream->numbers.end() ? found->second : int64_t{-1};
    };
    host.header = [](const hangu_stream* stream, hangu_message message, hangu_text name) {
      for (const auto& [key, value] : stream->fields[message]) {
        if (key == to_view(name)) {
          return to_text(value);
        }
      }
      return hangu_text{nullptr, 0};
    };
    host.headers = [](const hangu_stream* stream, hangu_message message, hangu_field* out,
                      size_t capacity) {
      const hangu_stream::Fields& fields = stream->fields[message];
      for (size_t i = 0; i < fields.size() && i < capacity; ++i) {
        out[i] = {to_text(fields[i].first), to_text(fields[i].second)};
      }
      return fields.size();
    };
  }

  static int remove(hangu_stream* stream, hangu_message message, hangu_text name) {
    hangu_stream::Fields kept;
    for (auto& field : stream->fields[message]) {
      if (field.first != to_view(name)) {
        kept.push_back(std::move(field));
      }
    }
    stream->fields[message] = std::move(kept);
    return HANGU_OK;
  }

  static int add(hangu_stream* stream, hangu_message message, hangu_text name, hangu_text value) {
    stream->fields[message].emplace_back(to_view(name), to_view(value));
    return HANGU_OK;
  }

  static void add_edits(hangu_host& host) {
    host.remove_header = remove;
    host.add_header = add;
    host.set_header = [](hangu_stream* stream, hangu_message message, hangu_text name,
                         hangu_text value) {
      remove(stream, message, name);
      return add(stream, message, name, value);
    };
    host.change_body = [](hangu_stream*, hangu_message) -> int { return HANGU_OK; };
    host.replace_body = [](hangu_stream* stream, hangu_text bytes) -> int {
      stream->body = to_view(bytes);
      return HANGU_OK;
    };
    host.reply = [](hangu_stream* stream, const hangu_reply* reply) -> int {
      stream->reply_status = reply->status;
      stream->reply_code = to_view(reply->code);
      return HANGU_OK;
    };
    host.stream_memory = [](hangu_stream* stream, size_t bytes) -> void* {
      stream->memory.push_back(std::make_unique<char[]>(bytes));
      return stream->memory.back().get();
    };
    host.state = [](const hangu_stream* stream) { return stream->state; };
    host.set_state = [](hangu_stream* stream, void* state) -> int {
      stream->state = state;
      return HANGU_OK;
    };
  }

  const hangu_plugin& plugin_;
  hangu_host host_;
  hangu_stream stream_;
  void* instance_ = nullptr;
  bool configured_ = false;
};

}  // namespace hangu::sdk
