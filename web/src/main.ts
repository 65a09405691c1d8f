import { createApp } from 'vue'
import App from './App.vue'
import { languageTag } from './i18n'
import './styles/base.css'

document.documentElement.lang = languageTag
createApp(App).mount('#app')
