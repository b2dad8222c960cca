#include "proxy/callouts.h"

namespace hangu::proxy {

Callouts::Callouts(event::Loop& loop)
    : loop_(loop),
      no_filters_(filter::without_filters()),
      teller_(*this) {}

Callouts::~Callouts() {
  while (CalloutRequest* request = live_.front()) {
    request->cancel();
  }
  while (CalloutRequest* request = ended_.pop_front()) {
    requests_.destroy(request);  // nobody is there any more to be told
  }
}

filter::Callout& Callouts::begin(filter::Stream& stream, const filter::CalloutTarget& target,
                                 filter::CalloutAsker& asker) noexcept {
  CalloutRequest& request =
      *requests_.make(*this, stream, target, asker, no_filters_).release();  // of live_
  live_.push_back(request);
  return request;
}

void Callouts::ended(CalloutRequest& request) noexcept {
  request.unlink();
  ended_.push_back(request);
  loop_.defer(teller_);
}

/// An answer may be the cause of the next question, which may end at once.
void Callouts::tell() noexcept {
  while (CalloutRequest* request = ended_.pop_front()) {
    request->tell();
    requests_.destroy(request);
  }
}

}  // namespace hangu::proxy
