// DigestCache<T>: what was found out lately about things that are known by a keyed digest.
#pragma once

#include "hangu/identity/recent_cache.h"

namespace hangu::identity {

template <class T>
using DigestCache = RecentCache<DigestKeys, T>;

}  // namespace hangu::identity
