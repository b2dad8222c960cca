#include "hangu/redis/client.h"

#include <hiredis/hiredis.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "hangu/base/assert.h"

namespace hangu::redis {
namespace {

// No reply of ours comes near it.
constexpr size_t kReplyBytesMax = 1024 * 1024;

std::string reason_of(const Error& error) {
  if (error.code == Errc::kTlsHandshake || error.code == Errc::kTlsCertificate) {
    return fmt::format("TLS: {}", error.detail);
  }
  return error.sys_errno != 0 ? std::generic_category().message(error.sys_errno) : error.detail;
}

}  // namespace

bool Reply::is_error() const {
  return reply_->type == REDIS_REPLY_ERROR;
}

bool Reply::is_integer() const {
  return reply_->type == REDIS_REPLY_INTEGER;
}

bool Reply::is_text() const {
  return reply_->type == REDIS_REPLY_STRING || reply_->type == REDIS_REPLY_STATUS;
}

bool Reply::is_nil() const {
  return reply_->type == REDIS_REPLY_NIL;
}

int64_t Reply::integer() const {
  return is_integer() ? reply_->integer : 0;
}

std::string_view Reply::text() const {
  return is_text() || is_error() ? std::string_view(reply_->str, reply_->len) : "";
}

size_t Reply::size() const {
  return reply_->type == REDIS_REPLY_ARRAY ? reply_->elements : 0;
}

Reply Reply::at(size_t index) const {
  HANGU_ASSERT(index < size());
  return Reply(reply_->element[index]);
}

void Client::FreeReader::operator()(redisReader* reader) const noexcept {
  redisReaderFree(reader);
}

Client::Client(event::Loop& loop, buffer::BlockPool& small_blocks, ClientHandler& handler)
    : loop_(loop),
      small_blocks_(small_blocks),
      handler_(handler) {}

Client::~Client() = default;

void Client::connect(const net::Address& address, std::unique_ptr<net::SecurityLayer> security) {
  HANGU_ASSERT(connection_ == nullptr);
  reader_.reset(redisReaderCreate());
  HANGU_ASSERT(reader_ != nullptr);
  output_.clear();
  connection_ = net::Connection::connect(loop_, small_blocks_, address, *this);
  if (connection_ == nullptr) {
    fail(std::generic_category().message(errno));
  } else if (security != nullptr) {
    connection_->secure(std::move(security));
  }
}

void Client::command(std::initializer_list<std::string_view> words) {
  begin_command(words.size());
  for (const std::string_view word : words) {
    add_word(word);
  }
}

void Client::begin_command(size_t words) {
  fmt::format_to(std::back_inserter(output_), "*{}\r\n", words);
}

void Client::add_word(std::string_view word) {
  fmt::format_to(std::back_inserter(output_), "${}\r\n{}\r\n", word.size(), word);
}

void Client::send() {
  if (connection_ != nullptr && !output_.empty()) {
    connection_->write_copy(output_);
  }
  output_.clear();
}

void Client::close() {
  connection_.reset();
}

void Client::fail(std::string_view reason) noexcept {
  connection_.reset();
  handler_.on_closed(reason);
}

void Client::on_connected(Result<void> result) noexcept {
  if (!result) {
    fail(reason_of(result.error()));
    return;
  }
  handler_.on_open();
}

void Client::on_data(buffer::Slice data) noexcept {
  const std::string_view bytes = data.view();
  if (redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != REDIS_OK) {
    fail("a reply that is none");
    return;
  }
  while (connection_ != nullptr) {
    void* reply = nullptr;
    if (redisReaderGetReply(reader_.get(), &reply) != REDIS_OK ||
        (reply == nullptr && reader_->len - reader_->pos > kReplyBytesMax)) {
      fail("a reply that is none");
      return;
    }
    if (reply == nullptr) {
      return;
    }
    handler_.on_reply(Reply(static_cast<const redisReply*>(reply)));
    freeReplyObject(reply);
  }
}

void Client::on_end() noexcept {
  fail("the server closed the connection");
}

void Client::on_error(Error error) noexcept {
  fail(reason_of(error));
}

}  // namespace hangu::redis
