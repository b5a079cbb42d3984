/* Names that the SIP door goes by: its domains and its realm, as the settings say or leave open.  Any thread. */
#ifndef PPG_DOORS_SIP_NAMES_H
#define PPG_DOORS_SIP_NAMES_H

#include "ppg/settings.h"

/* A comma list of hosts, in the settings; never empty. */
struct slice ppg_sip_domains(const struct ppg_settings *set);
struct slice ppg_sip_realm(const struct ppg_settings *set);

#endif
