#include "hangu/http/header_block.h"

#include <algorithm>

#include "hangu/base/assert.h"
#include "hangu/http/text.h"

namespace hangu::http {
namespace {

constexpr uint32_t kFirstCapacity = 12;

}  // namespace

bool HeaderBlock::add(HeaderName token, std::string_view name, std::string_view value) {
  if (name.size() > UINT16_MAX || value.size() > UINT32_MAX) {
    return false;
  }
  return append(Header{.name_data = name.data(),
                       .value_data = value.data(),
                       .value_size = static_cast<uint32_t>(value.size()),
                       .name_size = static_cast<uint16_t>(name.size()),
                       .token = token,
                       .flags = 0});
}

bool HeaderBlock::add_copy(std::string_view name, std::string_view value) {
  HANGU_ASSERT(arena_ != nullptr);
  const HeaderName token = header_name_from(name);
  const std::string_view kept = token == HeaderName::kOther ? arena_->copy(name) : to_string(token);
  return add(token, kept, arena_->copy(value));
}

bool HeaderBlock::set(HeaderName token, std::string_view name, std::string_view value) {
  if (name.size() > UINT16_MAX || value.size() > UINT32_MAX) {
    return false;
  }
  Header* const kept = keep_one({token, name});
  if (kept == nullptr) {
    return add(token, name, value);
  }
  bytes_ += value.size() - kept->value_size;
  kept->value_data = value.data();
  kept->value_size = static_cast<uint32_t>(value.size());
  kept->flags = 0;
  return true;
}

bool HeaderBlock::set(const Header& header) {
  Header* const kept = keep_one({header.token, header.name()});
  if (kept == nullptr) {
    return append(header);
  }
  bytes_ += header.line_bytes() - kept->line_bytes();
  *kept = header;
  return true;
}

/// Removes all fields of that name but the first, which is returned.
Header* HeaderBlock::keep_one(const Key& key) {
  if (!contains(key.token)) {
    return nullptr;
  }
  Header* kept = nullptr;
  for (uint32_t i = 0; i < count_; ++i) {
    Header& header = fields_[i];
    if (!matches(header, key)) {
      continue;
    }
    if (kept == nullptr) {
      kept = &header;
    } else {
      remove_at(header);
    }
  }
  return kept;
}

const Header* HeaderBlock::find(HeaderName token, std::string_view name) const {
  if (!contains(token)) {
    return nullptr;
  }
  if (token != HeaderName::kOther) {
    return find_present(token);
  }
  const Key key{token, name};
  for (const Header& header : *this) {
    if (matches(header, key)) {
      return &header;
    }
  }
  return nullptr;
}

void HeaderBlock::remove_any(HeaderNameSet names) {
  if (!contains_any(names)) {
    return;
  }
  for (uint32_t i = 0; i < count_; ++i) {
    if ((bit_of(fields_[i].token) & names) != 0 && !fields_[i].removed()) {
      remove_at(fields_[i]);
    }
  }
  present_ &= ~names;
}

bool HeaderBlock::matches(const Header& header, const Key& key) {
  return header.token == key.token && !header.removed() &&
         (key.token != HeaderName::kOther || equals_ignore_case(header.name(), key.name));
}

const Header* HeaderBlock::find_present(HeaderName token) const {
  const Header* header = fields_;
  while (header->token != token || header->removed()) {
    ++header;
    HANGU_DCHECK(header < fields_ + count_);
  }
  return header;
}

void HeaderBlock::remove_all(const Key& key) {
  bool others = false;  // of kOther with another name
  for (uint32_t i = 0; i < count_; ++i) {
    Header& header = fields_[i];
    if (matches(header, key)) {
      remove_at(header);
    } else {
      others = others || (header.token == key.token && !header.removed());
    }
  }
  if (!others) {
    present_ &= ~bit_of(key.token);
  }
}

void HeaderBlock::remove_at(Header& header) {
  header.flags |= Header::kRemoved;
  --live_;
  bytes_ -= header.line_bytes();
}

bool HeaderBlock::grow() {
  HANGU_ASSERT(arena_ != nullptr);
  if (capacity_ >= kFieldsMax) {
    return false;
  }
  const uint32_t capacity = std::min(kFieldsMax, std::max(kFirstCapacity, capacity_ * 2));
  auto* grown =
      reinterpret_cast<Header*>(arena_->allocate(capacity * sizeof(Header), alignof(Header)));
  std::copy(fields_, fields_ + count_, grown);
  fields_ = grown;
  capacity_ = capacity;
  return true;
}

}  // namespace hangu::http
