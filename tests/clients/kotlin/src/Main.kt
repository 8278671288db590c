import io.github.jan.supabase.SupabaseClient
import io.github.jan.supabase.auth.Auth
import io.github.jan.supabase.auth.MemorySessionManager
import io.github.jan.supabase.auth.auth
import io.github.jan.supabase.auth.providers.builtin.Email
import io.github.jan.supabase.createSupabaseClient
import io.github.jan.supabase.postgrest.Postgrest
import io.github.jan.supabase.postgrest.from
import io.github.jan.supabase.postgrest.query.filter.FilterOperator
import io.github.jan.supabase.realtime.*
import io.github.jan.supabase.realtime.broadcast.BroadcastPayload
import io.github.jan.supabase.realtime.broadcast.RealtimeBroadcast
import io.github.jan.supabase.exceptions.RestException
import io.github.jan.supabase.logging.LogLevel
import java.util.UUID
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.atomic.AtomicInteger
import kotlin.random.Random
import kotlin.system.exitProcess
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.*
import kotlinx.coroutines.flow.Flow
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.*

/*
 * Holds a running instance against supabase-kt: what its users do with channels, step by step, in both versions of the
 * protocol. usage: URL ANON_KEY. The instance serves the project in tests/fixtures/projects/other-clients.
 */

@Serializable
data class Post(val id: Int, val title: String)

@Serializable
data class Place(val at: String)

/** Ids of rows, of all steps; a second run on the same instance does not meet the first. */
val ids = AtomicInteger(Random.nextInt(1_000_000_000))

class Steps(private val url: String, private val key: String, private val version: RealtimeProtocolVersion) {
    private suspend fun signedIn(): SupabaseClient {
        val client = createSupabaseClient(url, key) {
            defaultLogLevel = LogLevel.NONE
            install(Auth) { sessionManager = MemorySessionManager() }
            install(Postgrest)
            install(Realtime) {
                vsn = version
                reconnectDelay = 1.seconds
                rejoinDelay = 1.seconds
                disconnectOnNoSubscriptions = false
            }
        }
        client.auth.signUpWith(Email) {
            email = "${UUID.randomUUID()}@example.com"
            password = "correct horse"
        }
        return client
    }

    private suspend fun until(what: String, holds: () -> Boolean) {
        withTimeoutOrNull(15.seconds) { while (!holds()) delay(20) } ?: error("did not happen: $what")
    }

    private fun <T> CoroutineScope.gather(flow: Flow<T>): List<T> {
        val list = CopyOnWriteArrayList<T>()
        // Begins to listen before it returns.
        launch(Dispatchers.Unconfined) { flow.collect { list += it } }
        return list
    }

    private fun numbers(heard: List<RealtimeBroadcast>): List<Int?> =
        heard.map { ((it.payload as? BroadcastPayload.Json)?.value as? JsonObject)?.get("n")?.jsonPrimitive?.int }

    private fun n(value: Int) = BroadcastPayload.Json(buildJsonObject { put("n", value) })

    suspend fun broadcasts() = coroutineScope {
        val (ada, bob) = listOf(signedIn(), signedIn())
        val speaker = ada.channel("lobby-$version") { broadcast { acknowledgeBroadcasts = true; receiveOwnBroadcasts = true } }
        val hearer = bob.channel("lobby-$version")
        val (own, others) = listOf(gather(speaker.broadcastFlow("count")), gather(hearer.broadcastFlow("count")))
        speaker.subscribe(blockUntilSubscribed = true)
        hearer.subscribe(blockUntilSubscribed = true)
        repeat(100) { speaker.broadcast("count", n(it)) }
        until("all are heard") { own.size == 100 && others.size == 100 }
        check(numbers(others) == (0..<100).toList())
        if (version == RealtimeProtocolVersion.V2) {
            val bytes = gather(hearer.broadcastFlow("bytes"))
            speaker.broadcast("bytes", BroadcastPayload.Binary(byteArrayOf(0, 1, -1)))
            until("bytes are heard") { bytes.size == 1 }
            check((bytes[0].payload as BroadcastPayload.Binary).data.contentEquals(byteArrayOf(0, 1, -1)))
        }
        speaker.httpSend("count", n(100))
        until("what was sent over HTTP is heard") { numbers(others).last() == 100 }
        leave(ada, bob)
    }

    suspend fun presence() = coroutineScope {
        val (ada, bob) = listOf(signedIn(), signedIn())
        val watcher = ada.channel("who-$version") { presence { key = "ada" } }
        val other = bob.channel("who-$version") { presence { key = "bob" } }
        val actions = gather(watcher.presenceChangeFlow())
        gather(other.presenceChangeFlow())
        fun seen() = watcher.currentPresences<Place>().map { it.at }.sorted()
        watcher.subscribe(blockUntilSubscribed = true)
        watcher.track(Place("home"))
        other.subscribe(blockUntilSubscribed = true)
        other.track(Place("work"))
        until("both are seen by both") { seen() == listOf("home", "work") && other.currentPresences<Place>().size == 2 }
        other.untrack()
        until("a farewell is seen") { seen() == listOf("home") }
        check(actions.any { "bob" in it.leaves })
        leave(ada, bob)
    }

    suspend fun postgresChanges() = coroutineScope {
        val (ada, bob) = listOf(signedIn(), signedIn())
        val mine = ada.channel("changes")
        val all = gather(mine.postgresChangeFlow<PostgresAction>("public") { table = "posts" })
        val some = gather(
            mine.postgresChangeFlow<PostgresAction.Insert>("public") {
                table = "posts"
                filter("title", FilterOperator.IN, listOf("a", "b, c"))
            }
        )
        val theirs = bob.channel("changes")
        val others = gather(theirs.postgresChangeFlow<PostgresAction>("public") { table = "posts" })
        live(ada, mine, all)
        live(bob, theirs, others)
        val from = ids.incrementAndGet()
        ids.addAndGet(2)
        fun news(changes: List<PostgresAction>) = changes.filter { idOf(it) >= from }
        val posts = ada.from("posts")
        posts.insert(listOf(Post(from, "a"), Post(from + 1, "b, c"), Post(from + 2, "d")))
        posts.update({ set("title", "e") }) { filter { eq("id", from + 2) } }
        // New and altered rows are told while they can be seen.
        until("the update is heard") { news(all).size == 4 }
        posts.delete { filter { eq("id", from + 2) } }
        until("every change is heard") { news(all).size == 5 && news(some).size == 2 && news(others).size == 1 }
        check(news(all).map(::idOf) == listOf(from, from + 1, from + 2, from + 2, from + 2))
        val update = news(all)[3] as PostgresAction.Update
        check(update.decodeRecord<Post>() == Post(from + 2, "e"))
        check(update.oldRecord == buildJsonObject { put("id", from + 2) })
        check(news(some).map(::idOf) == listOf(from, from + 1))
        check(news(others)[0] is PostgresAction.Delete) { "another user's rows were told" }
        leave(ada, bob)
    }

    suspend fun privateChannels() = coroutineScope {
        val (ada, bob) = listOf(signedIn(), signedIn())
        val rooms = listOf(ada, bob).map { client -> client.channel("room:$version") { isPrivate = true } }
        val heard = gather(rooms[1].broadcastFlow("said"))
        for (room in rooms) room.subscribe(blockUntilSubscribed = true)
        rooms[0].broadcast("said", n(1))
        until("the other hears it") { numbers(heard) == listOf(1) }
        val hall = ada.channel("hall") { isPrivate = true }
        hall.subscribe()
        delay(1.seconds)
        check(hall.status.value != RealtimeChannel.Status.SUBSCRIBED) { "a channel without rights was joined" }
        val refusal = runCatching { ada.channel("notices") { isPrivate = true }.httpSend("no", n(1)) }.exceptionOrNull()
        check((refusal as? RestException)?.statusCode == 403) { "a topic that may not be written was written: $refusal" }
        leave(ada, bob)
    }

    suspend fun tokenRefresh() = coroutineScope {
        val ada = signedIn()
        val mine = ada.channel("fresh")
        val changes = gather(mine.postgresChangeFlow<PostgresAction.Insert>("public") { table = "posts" })
        live(ada, mine, changes)
        val former = ada.auth.currentAccessTokenOrNull()
        // Within one second a session's tokens are the same.
        while (ada.auth.currentAccessTokenOrNull() == former) {
            ada.auth.refreshCurrentSession()
            delay(100)
        }
        val expected = List(20) { ids.incrementAndGet() }
        for (id in expected) ada.from("posts").insert(Post(id, "after"))
        until("changes go on") { changes.any { idOf(it) == expected.last() } }
        check(changes.map(::idOf).filter { it >= expected[0] } == expected)
        leave(ada)
    }

    /** Joins, and resolves when changes are live: this client does not tell, so rows are written until one is heard. */
    private suspend fun live(client: SupabaseClient, channel: RealtimeChannel, changes: List<PostgresAction>) {
        channel.subscribe(blockUntilSubscribed = true)
        withTimeout(15.seconds) {
            while (changes.isEmpty()) {
                client.from("posts").insert(Post(ids.incrementAndGet(), "heard?"))
                delay(50)
            }
        }
        val last = ids.incrementAndGet()
        client.from("posts").insert(Post(last, "heard!"))
        until("changes are live") { idOf(changes.last()) == last }
    }

    private fun idOf(change: PostgresAction): Int {
        val row = if (change is HasRecord) change.record else (change as HasOldRecord).oldRecord
        return row.getValue("id").jsonPrimitive.int
    }

    private suspend fun CoroutineScope.leave(vararg clients: SupabaseClient) {
        coroutineContext.cancelChildren()
        for (client in clients) {
            client.realtime.removeAllChannels()
            client.close()
        }
    }
}

fun main(args: Array<String>): Unit = runBlocking {
    val (url, key) = args
    var (passed, failed) = listOf(0, 0)
    for (version in RealtimeProtocolVersion.entries) {
        val steps = Steps(url, key, version)
        for (step in listOf(steps::broadcasts, steps::presence, steps::postgresChanges, steps::privateChannels, steps::tokenRefresh)) {
            val name = "${step.name}, protocol ${version.value}"
            try {
                withTimeout(60.seconds) { step() }
                passed++
                println("ok: $name")
            } catch (failure: Throwable) {
                failed++
                println("FAIL: $name")
                println(failure.stackTraceToString().lines().take(8).joinToString("\n"))
            }
        }
    }
    println("supabase-kt: $passed passed, $failed failed")
    exitProcess(if (failed > 0) 1 else 0)
}
