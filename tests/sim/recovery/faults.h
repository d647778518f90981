/*
 * Faults built into the gateways on purpose, one by one, as others have shipped them: a
 * simulator that does not notice them proves nothing.
 */
#ifndef TESTS_SIM_RECOVERY_FAULTS_H
#define TESTS_SIM_RECOVERY_FAULTS_H

enum gate_fault {
    FAULT_SENT_IS_PROVEN,
    FAULT_QUEUED_IS_PROVEN,
    FAULT_POSITION_LATE,
    FAULT_EPOCH,
    FAULT_FLOOR,
    FAULT_MARKS,
    FAULT_ONE_FLOOR,
    FAULT_JOIN_SEQ,
    FAULT_JOIN_AT_HEAD,
    FAULT_JOIN_UNKEPT,
    FAULT_LEFT_ROOM,
    FAULT_GHOST,
    FAULT_TERM,
    FAULT_PAGE_END,
    FAULT_TOO_FAR,
    FAULT_LIVE_EVENT,
    FAULT_HELD,
    FAULT_BEHIND,
    FAULT_NEW_BEHIND,
    FAULT_HELLO,
    FAULT_NO_REASON,
    FAULT_WRONG_REASON,
    FAULT_COUNT,
    FAULT_NONE = FAULT_COUNT
};

extern const char *const fault_names[FAULT_COUNT];

#endif
