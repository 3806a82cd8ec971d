import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.lazy.LazyColumn
import androidx.compose.foundation.lazy.items
import androidx.compose.foundation.text.selection.SelectionContainer
import androidx.compose.material3.Button
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.OutlinedTextField
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.LaunchedEffect
import androidx.compose.runtime.collectAsState
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.saveable.rememberSaveable
import androidx.compose.runtime.setValue
import androidx.compose.ui.Modifier
import androidx.compose.ui.unit.dp
import io.antiphon.formatAmount
import java.util.UUID

/** The wallet on one screen: what it has, how that is proven, and what is on its way. */
@Composable
fun WalletScreen(model: WalletModel) {
    val shown by model.shown.collectAsState()
    var key by rememberSaveable { mutableStateOf(UUID.randomUUID().toString()) }
    var to by rememberSaveable { mutableStateOf("") }
    var amount by rememberSaveable { mutableStateOf("") }
    // What was sent has a line of its own; the next one is another payment.
    LaunchedEffect(shown.calls) { if (shown.calls.any { it.key == key }) key = UUID.randomUUID().toString() }
    Column(Modifier.padding(16.dp), Arrangement.spacedBy(8.dp)) {
        Text(shown.balance, style = MaterialTheme.typography.displaySmall)
        Text(shown.proof, style = MaterialTheme.typography.bodySmall)
        SelectionContainer { Text(shown.address ?: "") }
        OutlinedTextField(to, { to = it }, Modifier.fillMaxWidth(), label = { Text("To") }, singleLine = true)
        OutlinedTextField(amount, { amount = it }, Modifier.fillMaxWidth(), label = { Text("Amount") }, singleLine = true)
        Button(onClick = { model.send(key, to, amount) }) { Text("Send") }
        shown.help?.let { Text(it, color = MaterialTheme.colorScheme.error) }
        LazyColumn {
            items(shown.calls, key = { it.key }) { call ->
                Text("${call.amount?.let(::formatAmount) ?: ""} ${call.to ?: ""} ${call.stage.name.lowercase()} ${call.code ?: ""}")
            }
        }
    }
}
