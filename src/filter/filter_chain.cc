#include "hangu/filter/filter_chain.h"

namespace hangu::filter {

void FilterChain::add(std::shared_ptr<const Filter> filter) {
  const Filter* added = filter.get();
  const uint8_t hooks = added->hooks();
  if ((hooks & kRequestHeaders) != 0) {
    request_headers_.push_back(added);
  }
  if ((hooks & kRequestData) != 0) {
    request_data_.push_back(added);
  }
  if ((hooks & kResponseHeaders) != 0) {
    response_headers_.insert(response_headers_.begin(), added);
  }
  if ((hooks & kResponseData) != 0) {
    response_data_.insert(response_data_.begin(), added);
  }
  if ((hooks & kLocalReply) != 0) {
    local_reply_.insert(local_reply_.begin(), added);
  }
  if ((hooks & kStreamEnd) != 0) {
    stream_end_.push_back(added);
  }
  filters_.push_back(std::move(filter));
}

}  // namespace hangu::filter
