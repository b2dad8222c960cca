#include "hangu/audit/mask.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "hangu/base/byte_marks.h"

namespace hangu::audit {
namespace {

constexpr std::string_view kHidden = "***";
constexpr size_t kPhoneDigits = 11;
constexpr size_t kIdDigits = 18;
constexpr size_t kOldIdDigits = 15;
constexpr size_t kTokenBytesMin = 16;  // after "eyJ"

// Names of parameters whose values are secrets, lower case, without `-` and `_`.
constexpr std::array<std::string_view, 27> kSecretNames = {
    "accesskey",    "accesstoken",   "apikey",  "apitoken",     "assertion", "auth",
    "authcode",     "authorization", "bearer",  "clientsecret", "code",      "credential",
    "idtoken",      "jwt",           "key",     "passwd",       "password",  "pwd",
    "refreshtoken", "secret",        "session", "sessionid",    "sid",       "sig",
    "sign",         "signature",     "token"};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'z';
}

bool is_hex_letter(char c) {
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f';
}

int two_digits(std::string_view text) {
  return (text[0] - '0') * 10 + (text[1] - '0');
}

/// "0131": a month and a day of it, roughly.
bool is_month_and_day(std::string_view text) {
  const int month = two_digits(text);
  const int day = two_digits(text.substr(2));
  return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/// GB 11643: region (6), birthday, order (3), check digit or X. The check digit is not checked: a
/// number with a typing error is as personal.
bool is_national_id(std::string_view digits, char next) {
  const bool with_x = digits.size() == kIdDigits - 1 && (next == 'X' || next == 'x');
  if (digits.size() == kIdDigits || with_x) {
    const int century = two_digits(digits.substr(6));
    return century >= 18 && century <= 20 && is_month_and_day(digits.substr(10));
  }
  return digits.size() == kOldIdDigits && is_month_and_day(digits.substr(8));
}

/// How many leading digits stand before a mobile number; -1: it is none.
int phone_offset(std::string_view digits) {
  for (const std::string_view prefix : {"", "86", "0086"}) {
    if (digits.size() == kPhoneDigits + prefix.size() && digits.starts_with(prefix) &&
        digits[prefix.size()] == '1' && digits[prefix.size() + 1] >= '3') {
      return static_cast<int>(prefix.size());
    }
  }
  return -1;
}

/// Part of a hexadecimal number such as a UUID: no number of a person.
bool within_hex(std::string_view text, size_t begin, size_t end) {
  return (begin > 0 && is_hex_letter(text[begin - 1])) ||
         (end < text.size() && is_hex_letter(text[end]));
}

void keep_ends(std::string_view text, size_t first, size_t last, std::string& out) {
  out += text.substr(0, first);
  out.append(text.size() - first - last, '*');
  out += text.substr(text.size() - last);
}

/// A run of digits at `begin`; returns its end when it was hidden, else `begin`.
size_t mask_digits(std::string_view text, size_t begin, size_t end, std::string& out) {
  const std::string_view digits = text.substr(begin, end - begin);
  const char next = end < text.size() ? text[end] : '\0';
  if (within_hex(text, begin, end)) {
    return begin;
  }
  if (is_national_id(digits, next)) {
    const size_t whole = digits.size() == kIdDigits - 1 ? end + 1 : end;
    keep_ends(text.substr(begin, whole - begin), 6, digits.size() == kOldIdDigits ? 0 : 4, out);
    return whole;
  }
  if (const int offset = phone_offset(digits); offset >= 0) {
    keep_ends(digits, static_cast<size_t>(offset) + 3, 4, out);
    return end;
  }
  return begin;
}

bool is_token_byte(char c) {
  return is_digit(c) || is_letter(c) || c == '-' || c == '_' || c == '.' || c == '=';
}

/// The end of a JSON web token (or anything in base64 that begins with `{"`) at `begin`, or
/// `begin`.
size_t token_end(std::string_view text, size_t begin) {
  if (!text.substr(begin).starts_with("eyJ") ||
      (begin > 0 && is_token_byte(text[begin - 1]) && text[begin - 1] != '=')) {
    return begin;
  }
  size_t end = begin + 3;
  while (end < text.size() && is_token_byte(text[end])) {
    ++end;
  }
  return end - begin >= kTokenBytesMin ? end : begin;
}

bool is_local_byte(char c) {
  return is_digit(c) || is_letter(c) ||
         std::string_view("._%+-*").find(c) != std::string_view::npos;
}

/// The size of the sign between the parts of an e-mail address at `at`: "@", "%40"; 0: none.
size_t at_sign(std::string_view text, size_t at) {
  if (text[at] == '@') {
    return 1;
  }
  return text.substr(at).starts_with("%40") ? 3 : 0;
}

/// Hides the local part, of which the end of `out` is, and keeps the domain. False: no address.
bool mask_email(std::string_view text, size_t at, size_t sign, size_t taken, std::string& out) {
  size_t local = at;
  while (local > taken && is_local_byte(text[local - 1])) {
    --local;
  }
  const std::string_view domain = text.substr(at + sign);
  const size_t end = std::min(static_cast<size_t>(std::find_if(domain.begin(), domain.end(),
                                                               [](char c) {
                                                                 return !is_digit(c) &&
                                                                        !is_letter(c) && c != '.' &&
                                                                        c != '-';
                                                               }) -
                                                  domain.begin()),
                              domain.size());
  const size_t dot = domain.substr(0, end).find('.');
  if (local == at || dot == std::string_view::npos || dot == 0 || dot + 1 >= end) {
    return false;
  }
  out.resize(out.size() - std::min(out.size(), at - local - 1));
  out += kHidden;
  return true;
}

/// Of each letter, the lengths of the secret names that begin with it, a bit each.
constexpr auto kSecretLengths = [] {
  std::array<uint32_t, 26> lengths{};
  for (const std::string_view name : kSecretNames) {
    lengths[static_cast<size_t>(name.front() - 'a')] |= 1U << name.size();
  }
  return lengths;
}();

/// Whether a parameter of this name is secret, whatever it looks like.
bool is_secret_name(std::string_view name) {
  std::array<char, 24> plain;
  size_t size = 0;
  for (const char c : name) {
    if (c == '-' || c == '_') {
      continue;
    }
    if (size == plain.size()) {
      return false;
    }
    plain[size++] = is_letter(c) ? static_cast<char>(c | 0x20) : c;
  }
  const bool may_be = size != 0 && is_letter(plain[0]) &&
                      (kSecretLengths[static_cast<size_t>(plain[0] - 'a')] >> size & 1U) != 0;
  return may_be && std::binary_search(kSecretNames.begin(), kSecretNames.end(),
                                      std::string_view(plain.data(), size));
}

/// Whether a parameter has a value that its name makes a secret.
bool is_secret(std::string_view parameter) {
  const size_t equals = parameter.find('=');
  return equals != std::string_view::npos && equals + 1 < parameter.size() &&
         is_secret_name(parameter.substr(0, equals));
}

/// Whether there can be anything to hide in eight bytes or around them: eleven digits in a row have
/// four within one half or the other, or within the last one of the text.
bool is_suspicious(uint64_t bytes) {
  constexpr uint64_t kHalf = UINT64_C(0x80808080);
  const uint64_t digits = digit_marks(bytes);
  return (digits & kHalf) == kHalf || (digits >> 32 & kHalf) == kHalf ||
         (first_mark_of('@', bytes) | first_mark_of('%', bytes) | first_mark_of('J', bytes)) != 0;
}

bool is_suspicious(std::string_view text) {
  constexpr size_t kStep = sizeof(uint64_t);
  if (text.size() < kStep) {
    return !text.empty();
  }
  const size_t last = text.size() - kStep;
  for (size_t at = 0; at < last; at += kStep) {
    if (is_suspicious(eight_bytes(text.data() + at))) {
      return true;
    }
  }
  return is_suspicious(eight_bytes(text.data() + last));
}

/// Whether anything in `text` can be personal: a long run of digits, an address, a token.
bool may_hide(std::string_view text) {
  if (!is_suspicious(text)) {
    return false;
  }
  size_t run = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    run = is_digit(c) ? run + 1 : 0;
    if (run == kPhoneDigits || c == '@' || (c == '%' && at_sign(text, i) != 0) ||
        (c == 'e' && text.substr(i).starts_with("eyJ"))) {
      return true;
    }
  }
  return false;
}

/// Calls visit(parameter, what separates it from the next).
template <class Visit>
void for_each_parameter(std::string_view query, Visit visit) {
  while (!query.empty()) {
    const size_t end = std::min(query.find_first_of("&;"), query.size());
    visit(query.substr(0, end), query.substr(end, end == query.size() ? 0 : 1));
    query.remove_prefix(std::min(end + 1, query.size()));
  }
}

bool may_hide_in_query(std::string_view query) {
  bool may = may_hide(query);  // no parameter is more than all of them
  for_each_parameter(query, [&may](std::string_view parameter, std::string_view) {
    may = may || is_secret(parameter);
  });
  return may;
}

}  // namespace

bool mask_text(std::string_view text, std::string& out) {
  if (!may_hide(text)) {
    out += text;
    return false;
  }
  const size_t before = out.size();
  bool hidden = false;
  size_t taken = 0;  // hidden up to here
  for (size_t i = 0; i < text.size();) {
    size_t end = i;
    if (is_digit(text[i])) {
      while (end < text.size() && is_digit(text[end])) {
        ++end;
      }
      const size_t past = mask_digits(text, i, end, out);
      if (past == i) {
        out += text.substr(i, end - i);
      } else {
        hidden = true;
        taken = end = past;
      }
    } else if (end = token_end(text, i); end != i) {
      out += kHidden;
      hidden = true;
      taken = end;
    } else {
      const size_t sign = at_sign(text, i);
      hidden =
          (sign != 0 && out.size() > before && mask_email(text, i, sign, taken, out)) || hidden;
      end = i + std::max<size_t>(sign, 1);
      out += text.substr(i, end - i);
    }
    i = end;
  }
  return hidden;
}

bool mask_query(std::string_view query, std::string& out) {
  bool hidden = false;
  for_each_parameter(query, [&](std::string_view parameter, std::string_view separator) {
    if (is_secret(parameter)) {
      out += parameter.substr(0, parameter.find('=') + 1);
      out += kHidden;
      hidden = true;
    } else {
      hidden = mask_text(parameter, out) || hidden;
    }
    out += separator;
  });
  return hidden;
}

Result<Masker, std::string> Masker::create(const std::vector<std::string>& patterns) {
  Masker masker;
  for (const std::string& text : patterns) {
    auto pattern = Pattern::compile(text);
    if (!pattern) {
      return Failure<std::string>{text + ": " + pattern.error()};
    }
    masker.patterns_.push_back(std::move(*pattern));
  }
  return masker;
}

std::string_view Masker::path(std::string_view text) {
  path_.clear();
  const bool hidden = may_hide(text) && mask_text(text, path_);
  return apply_patterns(hidden ? path_ : text, path_);
}

std::string_view Masker::query(std::string_view text) {
  query_.clear();
  const bool hidden = may_hide_in_query(text) && mask_query(text, query_);
  return apply_patterns(hidden ? query_ : text, query_);
}

std::string_view Masker::apply_patterns(std::string_view text, std::string& out) {
  for (const Pattern& pattern : patterns_) {
    scratch_.clear();
    std::array<std::string_view, 1> found;
    std::string_view left = text;
    while (!left.empty() && pattern.find(left, found) && !found[0].empty()) {
      scratch_ += left.substr(0, static_cast<size_t>(found[0].data() - left.data()));
      scratch_ += kHidden;
      left = left.substr(static_cast<size_t>(found[0].data() + found[0].size() - left.data()));
    }
    if (left.size() != text.size()) {
      scratch_ += left;
      out.swap(scratch_);
      text = out;
    }
  }
  return text;
}

}  // namespace hangu::audit
