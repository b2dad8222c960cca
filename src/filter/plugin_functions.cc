// What plugins may do with a stream: the functions of hangu_host. Whatever a plugin passes is
// checked here, as a peer's input would be; hangu only trusts it not to write into its memory.
#include <algorithm>
#include <span>

#include "hangu/http/text.h"

#include "filter/plugin_view.h"

namespace hangu::filter {
namespace {

using http::HeaderName;

constexpr size_t kCodeBytesMax = 64;
constexpr size_t kReplyFieldsMax = 16;
constexpr size_t kReplyBodyBytesMax = 256 * 1024;
constexpr size_t kNameBytesMax = 256;
constexpr size_t kValueBytesMax = 16 * 1024;
constexpr size_t kStreamMemoryMax = 64 * 1024;

// They frame messages, belong to a connection, or choose where a request goes.
constexpr http::HeaderNameSet kNotForPlugins = http::header_name_set(
    HeaderName::kHost, HeaderName::kContentLength, HeaderName::kTransferEncoding,
    HeaderName::kConnection, HeaderName::kKeepAlive, HeaderName::kUpgrade, HeaderName::kExpect,
    HeaderName::kTe, HeaderName::kTrailer, HeaderName::kProxyConnection);

std::string_view view_of(hangu_text text) {
  return text.data != nullptr ? std::string_view(text.data, text.size) : std::string_view();
}

hangu_text given(std::string_view text) {
  return {.data = text.data() != nullptr ? text.data() : "", .size = text.size()};
}

/// Empty means that there is no such thing.
hangu_text if_any(std::string_view text) {
  return text.empty() ? hangu_text{.data = nullptr, .size = 0} : given(text);
}

hangu_text text(const hangu_stream* view, hangu_text_fact fact) {
  const Stream& stream = view->stream;
  const StreamInfo& info = stream.info;
  switch (fact) {
    case HANGU_TEXT_METHOD: return given(stream.request.method_text);
    case HANGU_TEXT_PATH: return given(stream.request.path);
    case HANGU_TEXT_QUERY:
      return stream.request.has_query ? given(stream.request.query) : if_any({});
    case HANGU_TEXT_HOST: return if_any(stream.request.host);
    case HANGU_TEXT_ROUTE:
      return stream.route() != nullptr ? given(stream.route()->config->name) : if_any({});
    case HANGU_TEXT_CLIENT_IP: return if_any(info.client_ip);
    case HANGU_TEXT_REQUEST_ID: return if_any(info.request_id);
    case HANGU_TEXT_TRACE_ID: return if_any(info.trace_id);
    case HANGU_TEXT_CONSUMER: return if_any(info.consumer);
    case HANGU_TEXT_TLS_SERVER_NAME: return if_any(info.tls_server_name);
    case HANGU_TEXT_TLS_CLIENT: return if_any(info.tls_client_subject);
    case HANGU_TEXT_UPSTREAM_ADDRESS: return if_any(info.upstream_address);
    case HANGU_TEXT_CODE: return if_any(info.code);
  }
  return if_any({});
}

int64_t number(const hangu_stream* view, hangu_number_fact fact) {
  const Stream& stream = view->stream;
  const StreamInfo& info = stream.info;
  switch (fact) {
    case HANGU_NUMBER_STATUS: return info.status != 0 ? info.status : -1;
    case HANGU_NUMBER_REQUEST_BYTES: return static_cast<int64_t>(info.request_body_bytes);
    case HANGU_NUMBER_RESPONSE_BYTES: return static_cast<int64_t>(info.response_body_bytes);
    case HANGU_NUMBER_CONTENT_LENGTH:
      return stream.request.framing == http::BodyFraming::kLength
                 ? static_cast<int64_t>(stream.request.content_length)
                 : -1;
    case HANGU_NUMBER_HAS_REQUEST_BODY:
      return stream.request.framing != http::BodyFraming::kNone ? 1 : 0;
    case HANGU_NUMBER_AGE_NS: return (stream.now() - info.started).count();
    case HANGU_NUMBER_UNIX_TIME:
      return std::chrono::duration_cast<std::chrono::seconds>(
                 stream.shard().wall_time().time_since_epoch())
          .count();
    case HANGU_NUMBER_WORKER: return stream.shard().shard();
    case HANGU_NUMBER_SHADOW: return view->filter.shadow() ? 1 : 0;
  }
  return -1;
}

const http::HeaderBlock& block_of(const hangu_stream* view, hangu_message message) {
  return message == HANGU_REQUEST ? view->stream.request.headers : view->stream.response.headers;
}

bool has_response(const hangu_stream* view) {
  return view->stream.info.status != 0;
}

hangu_text header(const hangu_stream* view, hangu_message message, hangu_text name) {
  const std::string_view wanted = view_of(name);
  if (wanted.empty() || (message != HANGU_REQUEST && !has_response(view))) {
    return if_any({});
  }
  const http::Header* const found = block_of(view, message).find(wanted);
  return found != nullptr ? given(found->value()) : if_any({});
}

size_t headers(const hangu_stream* view, hangu_message message, hangu_field* fields,
               size_t capacity) {
  if (message != HANGU_REQUEST && !has_response(view)) {
    return 0;
  }
  size_t count = 0;
  for (const http::Header& field : block_of(view, message)) {
    if (count < capacity) {
      fields[count] = {.name = given(field.name()), .value = given(field.value())};
    }
    ++count;
  }
  return count;
}

/// Whether the phase is one in which the head of the message has not left yet.
bool is_head_phase(const hangu_stream* view, hangu_message message) {
  return message == HANGU_REQUEST
             ? view->phase == HANGU_PHASE_REQUEST_HEAD
             : view->phase == HANGU_PHASE_RESPONSE_HEAD || view->phase == HANGU_PHASE_LOCAL_REPLY;
}

/// As it is in the arena: in lower case. Empty: it is not one that plugins may change.
std::string_view name_for(Stream& stream, hangu_text name) {
  const std::string_view given_name = view_of(name);
  if (given_name.size() > kNameBytesMax || !http::is_token(given_name)) {
    return {};
  }
  const HeaderName token = http::header_name_from(given_name);
  if (token != HeaderName::kOther && (http::bit_of(token) & kNotForPlugins) != 0) {
    return {};
  }
  char* const copy = stream.arena().allocate(given_name.size(), 1);
  std::transform(given_name.begin(), given_name.end(), copy, http::to_lower);
  return {copy, given_name.size()};
}

bool is_value(std::string_view value) {
  return value.size() <= kValueBytesMax && http::is_field_value(value) &&
         http::trim_ows(value).size() == value.size();
}

enum class Edit : uint8_t { kSet, kAdd, kRemove };

int edit_header(hangu_stream* view, hangu_message message, Edit edit, const hangu_field& field) {
  if (!is_head_phase(view, message)) {
    return HANGU_UNAVAILABLE;
  }
  Stream& stream = view->stream;
  const std::string_view name = name_for(stream, field.name);
  const std::string_view value = view_of(field.value);
  if (name.empty() || !is_value(value)) {
    return HANGU_INVALID;
  }
  if (view->filter.shadow()) {
    return HANGU_OK;
  }
  http::HeaderBlock& block =
      message == HANGU_REQUEST ? stream.request.headers : stream.response.headers;
  const HeaderName token = http::header_name_from(name);
  if (edit == Edit::kRemove) {
    block.remove(token, name);
    return HANGU_OK;
  }
  const std::string_view kept = value.empty() ? value : stream.arena().copy(value);
  const bool done =
      edit == Edit::kSet ? block.set(token, name, kept) : block.add(token, name, kept);
  return done ? HANGU_OK : HANGU_UNAVAILABLE;
}

int set_header(hangu_stream* view, hangu_message message, hangu_text name, hangu_text value) {
  return edit_header(view, message, Edit::kSet, {.name = name, .value = value});
}

int add_header(hangu_stream* view, hangu_message message, hangu_text name, hangu_text value) {
  return edit_header(view, message, Edit::kAdd, {.name = name, .value = value});
}

int remove_header(hangu_stream* view, hangu_message message, hangu_text name) {
  return edit_header(view, message, Edit::kRemove, {.name = name, .value = {}});
}

/// Its end will not be told by a length any more.
template <class Head>
int open_length(Head& head) {
  if (head.framing == http::BodyFraming::kLength) {
    head.headers.remove(HeaderName::kContentLength);
    head.framing = http::BodyFraming::kChunked;
  }
  return HANGU_OK;
}

int change_body(hangu_stream* view, hangu_message message) {
  Stream& stream = view->stream;
  if (!is_head_phase(view, message) || view->phase == HANGU_PHASE_LOCAL_REPLY) {
    return HANGU_UNAVAILABLE;
  }
  if (view->filter.shadow()) {
    return HANGU_OK;
  }
  if (message == HANGU_REQUEST) {
    return stream.request_complete() ? HANGU_UNAVAILABLE : open_length(stream.request);
  }
  return stream.response_is_head_only() ? HANGU_UNAVAILABLE : open_length(stream.response);
}

int replace_body(hangu_stream* view, hangu_text bytes) {
  if (view->data == nullptr) {
    return HANGU_UNAVAILABLE;
  }
  const std::string_view text = view_of(bytes);
  Stream& stream = view->stream;
  const http::BodyFraming framing =
      view->phase == HANGU_PHASE_REQUEST_BODY ? stream.request.framing : stream.response.framing;
  if (text.size() > UINT32_MAX / 2 ||
      (framing == http::BodyFraming::kLength && text.size() != view->data->size)) {
    return HANGU_INVALID;
  }
  if (view->filter.shadow()) {
    return HANGU_OK;
  }
  if (text.empty()) {
    *view->data = buffer::Slice{};
    return HANGU_OK;
  }
  buffer::BlockRef block = stream.make_block(text.size());
  char* const begin = block->data();
  std::copy(text.begin(), text.end(), begin);
  *view->data = buffer::Slice{std::move(block), begin, static_cast<uint32_t>(text.size())};
  return HANGU_OK;
}

bool is_code(std::string_view code) {
  return !code.empty() && code.size() <= kCodeBytesMax &&
         std::all_of(code.begin(), code.end(), [](char c) {
           return http::is_alnum(c) || c == '.' || c == '_' || c == '-' || c == ':';
         });
}

/// Those of a reply, in the arena; false: one of them is not allowed.
bool copy_fields(Stream& stream, const hangu_reply& reply, std::span<const http::ReplyField>& out) {
  if (reply.fields_count == 0) {
    return true;
  }
  auto* const fields = reinterpret_cast<http::ReplyField*>(stream.arena().allocate(
      reply.fields_count * sizeof(http::ReplyField), alignof(http::ReplyField)));
  for (size_t i = 0; i < reply.fields_count; ++i) {
    const std::string_view name = name_for(stream, reply.fields[i].name);
    const std::string_view value = view_of(reply.fields[i].value);
    if (name.empty() || value.empty() || !is_value(value)) {
      return false;
    }
    std::construct_at(&fields[i],
                      http::ReplyField{.name = name, .value = stream.arena().copy(value)});
  }
  out = {fields, reply.fields_count};
  return true;
}

bool is_acceptable(const hangu_reply& reply) {
  const std::string_view type = view_of(reply.content_type);
  return reply.size == sizeof(hangu_reply) && reply.status >= 200 && reply.status <= 599 &&
         is_code(view_of(reply.code)) && is_value(view_of(reply.detail)) && is_value(type) &&
         view_of(reply.body).size() <= kReplyBodyBytesMax &&
         reply.fields_count <= kReplyFieldsMax &&
         (reply.fields_count == 0 || reply.fields != nullptr);
}

int reply(hangu_stream* view, const hangu_reply* reply) {
  Stream& stream = view->stream;
  if (stream.head_sent() || view->phase == HANGU_PHASE_STREAM_END ||
      view->phase == HANGU_PHASE_LOCAL_REPLY) {
    return HANGU_UNAVAILABLE;
  }
  http::LocalReply& out = view->reply;
  if (reply == nullptr || !is_acceptable(*reply) || !copy_fields(stream, *reply, out.fields)) {
    return HANGU_INVALID;
  }
  const auto copied = [&stream](hangu_text text) {
    const std::string_view bytes = view_of(text);
    return bytes.empty() ? std::string_view() : stream.arena().copy(bytes);
  };
  out.status = reply->status;
  out.code = copied(reply->code);
  out.label = "plugin";
  out.detail = copied(reply->detail);
  out.content_type = copied(reply->content_type);
  out.body = copied(reply->body);
  view->replied = true;
  return HANGU_OK;
}

void* stream_memory(hangu_stream* view, size_t bytes) {
  if (bytes == 0 || bytes > kStreamMemoryMax || view->phase == HANGU_PHASE_STREAM_END) {
    return nullptr;
  }
  char* const memory = view->stream.arena().allocate(bytes, alignof(std::max_align_t));
  std::fill_n(memory, bytes, '\0');
  return memory;
}

void* state(const hangu_stream* view) {
  void** const all = view->stream.kept.plugins;
  return all != nullptr ? all[view->filter.place()] : nullptr;
}

int set_state(hangu_stream* view, void* state) {
  void**& all = view->stream.kept.plugins;
  if (view->phase == HANGU_PHASE_STREAM_END) {
    return HANGU_UNAVAILABLE;
  }
  if (all == nullptr) {
    all = reinterpret_cast<void**>(
        view->stream.arena().allocate(config::kPluginsMax * sizeof(void*), alignof(void*)));
    std::fill_n(all, config::kPluginsMax, nullptr);
  }
  all[view->filter.place()] = state;
  return HANGU_OK;
}

}  // namespace

const hangu_host& plugin_functions() {
  static const hangu_host kFunctions = {.size = sizeof(hangu_host),
                                        .abi_major = HANGU_PLUGIN_ABI_MAJOR,
                                        .abi_minor = HANGU_PLUGIN_ABI_MINOR,
                                        .workers = 0,
                                        .version = {},
                                        .allocate = nullptr,
                                        .deallocate = nullptr,
                                        .log = nullptr,
                                        .problem = nullptr,
                                        .text = text,
                                        .number = number,
                                        .header = header,
                                        .headers = headers,
                                        .set_header = set_header,
                                        .add_header = add_header,
                                        .remove_header = remove_header,
                                        .change_body = change_body,
                                        .replace_body = replace_body,
                                        .reply = reply,
                                        .stream_memory = stream_memory,
                                        .state = state,
                                        .set_state = set_state};
  return kFunctions;
}

}  // namespace hangu::filter
