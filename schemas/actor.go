package schemas

// ActorHeader is the message header on the stream in which a producer says who
// sent the event, as far as it knows.
const ActorHeader = "Milepost-Actor"
