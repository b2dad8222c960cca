#include "proxy/mirrors.h"

#include "hangu/proxy/proxy.h"

namespace hangu::proxy {

Mirrors::~Mirrors() {
  while (MirrorRequest* request = live_.front()) {
    request->cancel();
  }
  bury();
}

filter::RequestCopy* Mirrors::begin(filter::Stream& stream,
                                    const filter::MirrorTarget& target) noexcept {
  using Ticket = policy::CircuitBreaker::Ticket;
  upstream::Cluster* cluster = proxy_.cluster(target.cluster);
  if (cluster == nullptr) {
    return nullptr;
  }
  uint32_t under_way = 0;
  live_.for_each(
      [&](const MirrorRequest& request) { under_way += &request.cluster() == cluster ? 1 : 0; });
  if (under_way >= target.config->requests_max) {
    return nullptr;
  }
  const policy::CircuitBreaker::Admission admission = cluster->admit();
  if (admission.ticket == Ticket::kNone) {
    return nullptr;
  }
  MirrorRequest& request =
      *requests_.make(*this, stream, target, *cluster, admission.ticket).release();  // of live_
  live_.push_back(request);
  return &request;
}

void Mirrors::retire(MirrorRequest& request) noexcept {
  request.unlink();
  ended_.push_back(request);
  loop_.defer(graveyard_);
}

void Mirrors::bury() noexcept {
  while (MirrorRequest* request = ended_.pop_front()) {
    requests_.destroy(request);
  }
}

}  // namespace hangu::proxy
